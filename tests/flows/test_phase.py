"""Phases over a real Prefect server and real scripted servers: right rows, nothing asked twice, failures alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName

from blocks.client import client
from blocks.fleet import Fleet
from blocks.journal import replies
from blocks.servers import ServerSpec
from blocks.store import ROWS
from nightschool.errors import WorldError
from nightschool.records import Answer, Question, Ruling
from tasks import answers, balance, committee, crew, pool, progress, questions
from tasks.ledger import Ledger
from tasks.redo import ask_again, forget
from tests.flows.conftest import teach
from tests.half_night import Make

pytestmark = pytest.mark.usefixtures("prefect_harness")

REDO = "(?s)answers: 1 of 2 chunks failed.*nightschool rerun first-half --phase answers --chunk 0"


def cached(ledger: Ledger) -> dict[str, tuple[int, int]]:
    return {phase.name: (phase.cached_chunks, phase.chunks) for phase in ledger.run.phases if phase.chunks}


def test_every_phase_keeps_the_right_rows(make: Make) -> None:
    night = make("balance={by: [topic]}")
    teach(night)
    asked = night.rows(pool.chunks(night), Question)
    assert Counter(row.topic for row in asked if row.check == "ok") == dict.fromkeys(night.recipe.topics, 4)
    said = night.rows(answers.chunks(night), Answer)
    assert Counter(row.teacher for row in said) == {"alba": len(asked), "bruno": len(asked)}
    ruled = night.rows(committee.chunks(night), Ruling)
    assert ruled
    assert all(row.answer == row.question.truth for row in ruled)
    kept = night.rows(balance.chunks(night), Ruling)
    assert len(set(Counter(row.question.topic for row in kept).values())) == 1


def test_a_second_night_asks_nobody_and_starts_no_server(make: Make) -> None:
    teach(make())
    before = client().stats().sent
    again = teach(make())
    assert client().stats().sent == before
    assert all(done == chunks for done, chunks in cached(again).values())
    assert "serve" not in [phase.name for phase in again.run.phases]


def test_two_client_processes_are_shown_and_counted_as_one(make: Make) -> None:
    night = make("serve.client_processes=2", "answers.chunk_rows=4")
    before = crew.stats().replies
    ledger = teach(night)
    chunks = answers.chunks(night)
    assert cached(ledger)["answers"] == (0, len(chunks))
    asked = [Counter(manifest.figures) for _, manifest in night.made([*questions.chunks(night), *chunks])]
    assert crew.stats().replies - before == sum(one["requests"] for one in asked) > 0
    event = next(one for one in progress.standing() if one.phase == "answers")
    assert (event.done, event.chunks_done) == (event.total, event.chunks_total)
    assert event.pace
    assert event.pace.requests_s > 0


def test_a_changed_prompt_redoes_its_phase_and_what_follows_and_nothing_before(make: Make, tmp_path: Path) -> None:
    teach(make())
    (tmp_path / "answers.txt").write_text("[user]\nThink.\n$question\n$choices\n", encoding="utf-8")
    again = cached(teach(make()))
    assert again["questions"] == (4, 4)
    assert again["pool"] == (1, 1)
    assert again["answers"][0] == 0
    assert again["committee"] == (0, 1)


def test_an_interrupted_chunk_goes_on_where_it_stopped(make: Make, tmp_path: Path) -> None:
    with serving(tmp_path, {"die_after": 14}) as sets:
        dying = make("answers.chunk_rows=100", *sets)
        with pytest.raises(WorldError, match=REDO):
            teach(dying)
    chunk = answers.chunks(dying)[0]
    on_file = {reply.id for reply in replies(dying.store.journal(chunk))}
    assert on_file
    with serving(tmp_path, {}) as sets:
        before = client().stats().sent
        night = make("answers.chunk_rows=100", *sets)
        ledger = teach(night)
    rows = night.rows([chunk], Answer)
    assert len({row.id for row in rows}) == len(rows) == len(night.rows(pool.chunks(night), Question))
    assert client().stats().sent - before == len(rows) - len(on_file)
    assert cached(ledger)["answers"] == (1, 2)


@contextmanager
def serving(folder: Path, script: dict[str, object]) -> Iterator[list[str]]:
    """A scripted server as somebody else's endpoint, by what to set in the recipe: where it is is no identity."""
    spec = ServerSpec(name="alba", engine="scripted", model="scripted", script=json.dumps(script), restarts=0)
    with Fleet([spec], log_dir=folder / "elsewhere", on_progress=lambda note: None) as fleet:
        endpoint = fleet.start()["alba"]
        yield [
            "teachers.0.script=null",
            "teachers.0.engine=endpoint",
            f"teachers.0.urls={json.dumps(endpoint.urls)}",
            f"teachers.0.key_env={endpoint.key_env}",
        ]


def test_a_forgotten_chunk_is_made_again_and_what_depends_on_it_stays_if_nothing_changed(make: Make) -> None:
    night = make()
    teach(night)
    assert forget(night, "answers", 1) == 1
    again = cached(teach(make()))
    assert again["answers"] == (len(answers.chunks(night)) - 1, len(answers.chunks(night)))
    assert again["committee"] == (1, 1)


def test_a_phase_with_gaps_is_never_complete_and_too_many_end_the_night(make: Make) -> None:
    failing = "{fault_by: row, faults: {status_500: 0.3}}"
    with pytest.raises(WorldError, match=r"questions: \d of 16 rows have no reply; 0 may be missing") as stopped:
        teach(make("max_failed_rows=0", "serve.attempts=1", alba=failing))
    assert "nightschool rerun first-half --failed --phase questions" in str(stopped.value)
    before = client().stats().sent
    night = make("max_failed_rows=0.5", "serve.attempts=1", alba=failing)
    ledger = teach(night, "questions")
    assert client().stats().sent == before, "gaps are not asked for unless somebody says so"
    [phase] = [phase for phase in ledger.run.phases if phase.name == "questions"]
    assert phase.failed_rows > 0
    assert not phase.stopped
    with get_client(sync_client=True) as api:
        runs = api.read_flow_runs(
            flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=["questions of first-half"]))
        )
    states = {run.state.name or "" for run in runs if run.state}
    assert "CompletedWithGaps" in states
    assert any(re.fullmatch(r"Failed: \d+ rows? over budget", name) for name in states), states
    assert ask_again(night, None, None) == {"questions": phase.failed_rows}
    whole = teach(make("max_failed_rows=0"), "questions")
    assert [phase.failed_rows for phase in whole.run.phases if phase.name == "questions"] == [0]


def test_a_row_changed_on_disk_makes_its_chunk_anew(make: Make) -> None:
    night = make()
    teach(night)
    path = night.store.path(questions.chunks(night)[0], ROWS)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    before = client().stats().sent
    ledger = teach(make())
    assert cached(ledger)["questions"] == (3, 4)
    assert ledger.run.remade == [f"{questions.chunks(night)[0].label}: {path.name} is not what was written"]
    assert client().stats().sent == before, "its replies were on file"
