"""What Prefect's page shows of a phase: how far it is, how fast each server answers, what became of its chunks."""

from __future__ import annotations

import json

import pytest
from prefect.client.orchestration import get_client

from flows.artifacts import describe
from tasks import questions
from tasks.failures import failed_rows
from tasks.pace import Pace, ServerPace
from tasks.progress import Event
from tests.flows.conftest import teach
from tests.half_night import Make

SERVERS = (
    ServerPace("alba-0", 12.5, 900.0, 31, 32, retries=2, tokens_in=1000, tokens_cached=620),
    ServerPace("alba-1", 0.0, 0.0, 1, 1, failures=1, state="down"),
)


def test_a_phase_that_asks_is_told_in_a_line_and_each_server_in_a_table() -> None:
    event = Event(
        "answers", 120, 4000, 3, 80, 1, 0, "", 41.0, 90.0, False, reused=20, queued=3848,
        pace=Pace(12.5, 900.0, 32, 33, 2, 1, SERVERS),
    )  # fmt: skip
    line, _, *table = describe(event).splitlines()
    assert line == (
        "answers: 120/4000, chunks 3/80, 1 cached, about 90 s to go, 20 reused, 12 req/s, 900 tok/s, 32 in flight, "
        "3,848 queued, 62% from cache, 2 retries, 1 given up, alba-1 away"
    )
    assert [row.split(" | ") for row in table][2:] == [
        ["| alba-0", "12", "900", "31/32", "62%", "2", "0", "up |"],
        ["| alba-1", "0.0", "0.0", "1/1", "-", "0", "1", "down |"],
    ]


@pytest.mark.usefixtures("prefect_harness")
def test_progress_and_chunks_are_on_the_page(make: Make) -> None:
    night = make("max_failed_rows=0.5", "serve.attempts=1", alba="{fault_by: row, faults: {status_500: 0.3}}")
    teach(night)
    with get_client(sync_client=True) as server:
        found = {one.key: one for one in server.read_latest_artifacts(limit=100)}
    assert found["progress-answers"].data == 100.0
    assert found["progress-answers"].type == "progress"
    assert "| 0 | answers chunk 1/" in str(found["chunks-answers"].data)
    lost = json.loads(str(found["lost-questions"].data))
    chunk = next(chunk for chunk, manifest in night.made(questions.chunks(night)) if failed_rows([manifest]))
    first = next(row for row in lost if row["no reply"])
    assert (first["reason"], first["chunk"]) == ("server_error", chunk.ordinal)
    with get_client(sync_client=True) as server:
        runs = [run for run in server.read_task_runs(limit=200) if run.state and run.state.name == "CompletedWithGaps"]
    assert any(f"no reply to {first['row']}" in (run.state.message or "") for run in runs if run.state)
