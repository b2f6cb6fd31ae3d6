"""The review's step: what people decide reaches what depends on it and nothing else, and is never asked twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.decisions import Decisions
from nightschool.records import Ruling
from nightschool.report.terminal import summary_lines
from nightschool.review import REJECTED, WAITS, Decision
from tasks import balance, committee, pool, review
from tasks.ledger import Run
from tasks.night import Night
from tasks.report import report
from tests.half_night import Make
from tests.nightschool.review_cases import decision
from tests.tasks.conftest import fill, serving

OPEN = 4
OPEN_TIES = "committee.to_review=[tie, no_quorum]"


@pytest.fixture
def night(make: Make) -> Night:
    """A night whose committee left its first rows to people."""
    found = make(OPEN_TIES, "review=skip", "balance.by=[topic]")
    with serving() as served:
        fill(found, served, "questions", "pool", "answers", "committee")
    leave_open(found, OPEN)
    return found


def leave_open(night: Night, count: int) -> None:
    [(chunk, manifest)] = night.made(committee.chunks(night))
    kept = night.rows([chunk], Ruling)
    left = [row.model_copy(update={"verdict": "review", "answer": None, "reason": "tie"}) for row in kept[:count]]
    night.store.commit(chunk, rows=kept[count:], dropped=[("tie", row) for row in left], figures=manifest.figures)


def goes_on(night: Night) -> None:
    review.take(night)
    fill(night, {}, "review", "balance")


def say(night: Night, *said: Decision) -> None:
    Decisions(night.store).add(said)


def test_undecided_rows_stay_and_say_that_they_wait(night: Night) -> None:
    goes_on(night)
    [chunk] = review.chunks(night)
    assert night.rows([chunk], Ruling) == []
    waiting = night.store.dropped(chunk, Ruling)
    assert [(row.verdict, row.reason) for row in waiting] == [("review", WAITS)] * OPEN
    assert [row.id for row in review.undecided(night)] == [row.id for row in review.queue(night)]


def test_a_later_review_makes_anew_what_depends_on_it_and_nothing_before(night: Night) -> None:
    goes_on(night)
    before = {step: night.made(step.chunks(night)) for step in (pool, committee)}
    one, two, *_ = review.queue(night)
    say(night, decision(one, answer="A"), decision(two, "reject"))
    assert review.fresh(night) == 2
    assert all(night.store.manifest(chunk) for chunk in [*review.chunks(night), *balance.chunks(night)]), (
        "until the night takes them in, nothing of it moves: it may be training on what it has"
    )
    review.take(night)
    assert review.fresh(night) == 0
    assert not night.made(review.chunks(night))
    assert {step: night.made(step.chunks(night)) for step in before} == before
    fill(night, {}, "review", "balance")
    [chunk] = review.chunks(night)
    [taught] = night.rows([chunk], Ruling)
    assert (taught.id, taught.answer, taught.by, taught.who) == (one.id, "A", "person", "ada")
    assert night.rows(review.out(night), Ruling)[-1] == taught
    manifest = night.store.manifest(chunk)
    assert manifest is not None
    assert manifest.rows + sum(manifest.dropped.values()) == OPEN


def test_the_report_says_who_decided_what_and_who_is_waited_for(night: Night) -> None:
    one, two, *_ = review.queue(night)
    say(night, decision(one, answer="A"), decision(two, "reject", who="bob\x1b[2J"))
    goes_on(night)
    found = report(night, Run(started="2026-01-02T03:04:05+00:00"))
    lines = "\n".join(summary_lines(found))
    assert "2 decided (1 answered otherwise, 1 rejected) by ada 1, bob" in lines
    assert "\x1b" not in lines
    assert "2 rows wait for a person:\n  $ nightschool review first-half" in lines
    steps = {step.step: step for step in found.funnel}
    assert steps["reviewed"].total == steps["agreed"].total + 1
    assert steps["reviewed"].dropped == {WAITS: OPEN - 2, REJECTED: 1}


def test_a_rejection_moves_nothing_that_is_taught(night: Night) -> None:
    goes_on(night)
    [balanced] = night.made(balance.chunks(night))
    say(night, *(decision(row, "reject") for row in review.queue(night)))
    goes_on(night)
    assert night.made(balance.chunks(night)) == [balanced]


def test_the_same_content_is_never_asked_twice(night: Night, make: Make) -> None:
    say(night, *(decision(row, answer="C") for row in review.queue(night)[1:]))
    assert len(review.undecided(night)) == 1
    other = make(OPEN_TIES, "review=skip", "committee.min_agreement=0.7", name="other")
    fill(other, {}, "committee")
    leave_open(other, OPEN + 2)
    assert len(review.queue(other)) == OPEN + 2
    assert len(review.undecided(other)) == 3
    goes_on(other)
    assert [row.answer for row in other.rows(review.chunks(other), Ruling)] == ["C"] * (OPEN - 1)
    say(other, decision(review.queue(night)[1], "withdraw"))
    assert len(review.undecided(other)) == 4


def test_without_the_section_the_night_has_no_review(make: Make, tmp_path: Path) -> None:
    night = make()
    assert review.chunks(night) == []
    assert "review" not in night.keys
    waiting, hurried = (make(OPEN_TIES, f"review={mode}") for mode in ("wait", "until 06:30"))
    assert waiting.keys == hurried.keys
    assert "review" in waiting.keys
