"""Teachers one after the other, replicas, and servers that die in mid-phase, over real processes and Prefect."""

from __future__ import annotations

import json
from collections import Counter

import psutil
import pytest

from blocks.pid_file import PidFile
from nightschool.records import Answer, Question
from tasks import answers, pool, progress
from tasks.ledger import last_run
from tests.flows.conftest import teach
from tests.half_night import Make

pytestmark = pytest.mark.usefixtures("prefect_harness")


def test_one_after_the_other_each_is_started_once_a_phase_at_most(make: Make) -> None:
    night = make("serve.placement=sequential")
    ups: list[str] = []

    def hear(event: progress.Event) -> None:
        if ": up after" in event.note and event.note not in ups[-1:]:
            ups.append(event.note)

    with progress.listening(hear):
        teach(night)
    # Bruno is up from the questions when the answers begin.
    assert [note.partition(":")[0] for note in ups] == ["alba", "bruno", "alba"]
    asked = night.rows(pool.chunks(night), Question)
    said = night.rows(answers.chunks(night), Answer)
    assert Counter(row.teacher for row in said) == {"alba": len(asked), "bruno": len(asked)}


def test_a_replica_that_is_killed_costs_no_row_and_is_on_file(make: Make) -> None:
    slow = json.dumps({"models": {"alba": {"accuracy": 0.9, "latency_s": {"mean": 0.05}}}})
    night = make("serve.replicas=2", "serve.concurrency=2", "pool.per_topic=20", "serve.attempts=5", alba=slow)
    killed: list[int] = []

    def kill(event: progress.Event) -> None:
        if event.phase == "answers" and event.done and not killed:
            left = PidFile.model_validate_json((night.dir / "servers" / "alba-1.pid.json").read_bytes())
            server = psutil.Process(left.server.pid).children()[0]
            killed.append(server.pid)
            server.kill()

    with progress.listening(kill):
        teach(night, "questions", "pool", "answers")
    assert killed
    asked = {row.id for row in night.rows(pool.chunks(night), Question)}
    said = Counter(row.id for row in night.rows(answers.chunks(night), Answer) if row.teacher == "alba")
    assert said == dict.fromkeys(asked, 1)
    [restart] = last_run(night.dir).restarts
    assert (restart.server, restart.again) == ("alba-1", True)
    assert "exit code 137" in restart.how
