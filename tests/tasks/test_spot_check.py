"""The spot check on a night in a store: drawn from what is taught, decided like any row, in the report at once."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from blocks.decisions import Decisions
from flows.cli.app import app
from nightschool.errors import WorldError
from nightschool.records import Ruling
from nightschool.report.figures import Report
from tasks import balance, review
from tasks.ledger import Run
from tasks.night import Night
from tasks.report import publish
from tasks.sitting import Sitting
from tasks.spot_check import TAUGHT, drawn, refresh, spot_check, waiting
from tests.half_night import Make
from tests.tasks.conftest import fill, serving

SETS = ("pool.per_topic=10", "balance={by: [topic], method: upsample, shuffle_letters: true}")


@pytest.fixture
def night(make: Make) -> Night:
    found = make(*SETS)
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(found, served, "questions", "pool", "answers", "committee", "balance")
    return found


def test_rows_are_drawn_from_those_that_are_taught_and_shown_as_they_are(night: Night) -> None:
    taught = {row.id: row for row in night.rows(balance.out(night), Ruling) if row.mended.source is None}
    found = drawn(night)
    assert found.taught == len(taught)
    assert len({row.id for row in found.rows}) == min(20, len(taught))
    assert all(taught[row.id] == row for row in found.rows)
    for case in waiting(night):
        row = taught[case.ruling.id]
        assert (case.voices[0].teacher, case.voices[0].answer, case.voices[0].reasoning) == (
            TAUGHT, row.answer, row.reasoning,
        )  # fmt: skip
        assert case.leading == row.answer
        same = [voice.reasoning for voice in case.voices[1:] if voice.answer == row.answer]
        assert row.reasoning in same, "teachers' words name the choices as they are lettered by now"


def test_verdicts_reach_the_journal_and_the_report_and_take_nothing_away(night: Night) -> None:
    publish(night, Run(started="2026-01-02T03:04:05+00:00"))
    before = night.made(balance.chunks(night))
    sitting = Sitting(night, "ada", waiting(night), spot_check=True)
    assert sitting.total >= 10
    sitting.decide(None, note="no such thing")
    while (case := sitting.case) and case.leading:
        sitting.decide(case.leading)
    found = refresh(night)
    assert found is not None
    assert found.bad is not None
    assert (round(found.bad.value * found.bad.n), found.waiting) == (1, 0)
    assert [one.action for one in Decisions(night.store).read()][:2] == ["reject", "accept"]
    on_file = Report.model_validate_json((night.dir / "report.json").read_bytes())
    assert on_file.spot_check == found
    assert "Spot check" in (night.dir / "report.html").read_text()
    assert any("Spot check: 1 of" in line for line in on_file.what_next)
    assert night.made(balance.chunks(night)) == before
    assert review.fresh(night) == 0
    again = Sitting(night, "bob", waiting(night), spot_check=True)
    assert again.left == 0, "nothing is asked twice"


def test_the_command_says_where_it_stands(night: Night, make: Make) -> None:
    publish(night, Run(started="2026-01-02T03:04:05+00:00"))

    def said(name: str) -> str:
        done = CliRunner().invoke(app, ["review", name, "--spot-check", "--store", str(night.store.root)])
        if done.exception:
            raise done.exception
        return done.stdout

    with pytest.raises(WorldError, match="rows of first-half wait, and this is no terminal to show them on: use one"):
        said("first-half")
    sitting = Sitting(night, "ada", waiting(night), spot_check=True)
    while (case := sitting.case) and case.leading:
        sitting.decide(case.leading)
    assert "0 of" in said("first-half")
    empty = make(*SETS, "seed=5", name="empty")
    empty.begin()
    assert "teaches no rows yet" in said("empty")
    assert spot_check(empty) is None
