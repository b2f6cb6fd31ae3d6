"""A night waits for its turn, and whoever looks sees for whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from blocks import turns
from flows import turn
from tasks import after, progress
from tasks.ledger import Ledger
from tasks.progress import Event
from tasks.status import status

HOLDER = """
import sys, time
from pathlib import Path
from uuid import UUID
from blocks.turns import ticket, turn
with turn(ticket("first", "nowhere", Path("nowhere"), ["cpu-0"]), print):
    print("holds", flush=True)
    time.sleep(600)
"""


@flow
def waits(night) -> str:
    with night.alone(), turn.turn(night):
        return str(flow_run.get_id())


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(turns.VARIABLE, str(tmp_path / "turns"))
    monkeypatch.setattr(turns, "LOOK_S", 0.05)
    monkeypatch.setattr(turn, "_LOOK_EVERY_S", 0.05)


def states(run: str) -> list[tuple[str, str]]:
    with get_client(sync_client=True) as client:
        return [(one.name or "", one.message or "") for one in client.read_flow_run_states(UUID(run))]


def test_a_night_that_waits_for_the_device_shows_for_whom(prefect_harness, make) -> None:
    night = make(name="second")
    night.begin()
    seen: list[Event] = []
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        assert first.stdout.readline() == "holds\n"

        def hear(event: Event) -> None:
            if event.phase == "turn" and event.note and not event.finished:
                seen.append(event)
                assert status(night).queued
                first.kill()

        with progress.listening(hear):
            run = waits(night)
    assert "night first" in seen[0].note
    assert seen[0].urgent
    found = states(run)
    assert [name for name, _ in found] == ["Pending", "Running", "Waiting", "Running", "Completed"]
    assert "this machine's CPU: night first" in found[2][1]
    assert not status(night).queued


def test_a_night_that_waits_for_another_begins_once_that_is_whole(prefect_harness, make) -> None:
    first = make(name="first")
    after.note(first)
    first.begin()
    seen: list[str] = []

    def hear(event: Event) -> None:
        if event.phase == "after" and event.note and not event.finished:
            seen.append(event.note)
            Ledger(first.dir).finish()

    with progress.listening(hear):
        run = waits(make("order.after=[first]", name="second"))
    assert seen == [f"waits for night first, which does not run now: nightschool rerun first{first.where}"]
    assert [name for name, _ in states(run)] == ["Pending", "Running", "Waiting", "Running", "Completed"]
