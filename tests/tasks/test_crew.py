"""Chunks made by several processes: the same rows, counted once, failures alone, nobody left behind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from blocks.journal import replies
from blocks.store import ROWS
from nightschool.errors import Stopped, WorldError
from nightschool.wire import Endpoint
from tasks import crew, progress
from tasks.crew import processes
from tasks.crew_member import Member
from tasks.making import Job, Outcome
from tasks.night import Night
from tasks.step import Served
from tasks.steps import STEPS
from tests.blocks.client_asks import counted
from tests.blocks.fleets import gone
from tests.half_night import Make
from tests.tasks.conftest import fill, serving

SLOW: dict[str, Any] = {"models": {"alba": {"latency_s": {"mean": 60}}, "bruno": {}}}


def jobs(night: Night, served: Served) -> list[Job]:
    chunks = STEPS["answers"].chunks(night)
    return [Job(night.store.place, night.name, night.stamp, chunk, served) for chunk in chunks]


def made(night: Night, served: Served) -> list[Outcome]:
    """All chunks of answers, side by side."""
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(crew.make_by_crew, jobs(night, served)))


def contents(night: Night) -> list[tuple[str, int, str]]:
    """The rows of every chunk of answers, by their digest."""
    made = night.made(STEPS["answers"].chunks(night))
    return [
        (chunk.key, chunk.index, mark.content)
        for chunk, manifest in made
        for name, mark in manifest.files.items()
        if name.endswith(ROWS)
    ]


@pytest.fixture
def processes_before() -> Iterator[None]:
    """Sees to it that whoever was started has gone."""
    before = set(psutil.Process().children(recursive=True))
    yield
    assert not [one for one in set(psutil.Process().children(recursive=True)) - before if one.is_running()]


def test_two_processes_make_the_same_rows_and_their_counts_are_ours(
    make: Make, tmp_path: Path, processes_before: None
) -> None:
    with serving() as served:
        alone, shared = make(), make(f"store={tmp_path / 'shared'}")
        fill(alone, served)
        fill(shared, served, "questions", "pool")
        before = crew.stats().replies
        counts = progress.track("answers", STEPS["answers"].chunks(shared))
        with crew.crew(2, served, shared.dir):
            outcomes = made(shared, served)
            assert len(workers(os.getpid())) == 2
        event = counts.event(finished=True)
    assert {one.name for one in outcomes} == {"Completed"}
    assert contents(shared) == contents(alone)
    assert (event.done, event.reused) == (event.total, 0)
    assert crew.stats().replies - before == event.total


def test_a_chunk_that_fails_in_a_process_fails_alone_and_as_itself(make: Make, processes_before: None) -> None:
    night = make()
    with serving() as served:
        fill(night, served, "questions", "pool")
        with crew.crew(2, served, night.dir):
            good, *_ = jobs(night, served)
            with pytest.raises(WorldError, match="its recipe changed while it ran"):
                crew.make_by_crew(Job(good.place, good.night, "another", good.chunk, served))
            assert crew.make_by_crew(good).name == "Completed"
            assert crew.make_by_crew(good).name == "Cached"


def test_a_process_that_is_killed_fails_its_chunk_and_the_next_one_starts_another(make: Make, tmp_path: Path) -> None:
    night = make()
    with serving(**SLOW) as slow, serving() as quick:
        fill(night, quick, "questions", "pool")
        member = Member(tmp_path / "clients.log")
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(member.make, jobs(night, slow)[0])
            started(psutil.Process().pid)[0].kill()
            with pytest.raises(WorldError, match="ended with code -9"):
                waiting.result()
        assert member.make(jobs(night, quick)[0]).name == "Completed"
        member.close()
        assert not started(psutil.Process().pid, want=0)


def test_processes_that_are_told_to_end_wait_for_what_is_in_flight_and_keep_it(
    make: Make, processes_before: None
) -> None:
    night = make()
    slow: dict[str, Any] = {"models": {name: {"latency_s": {"mean": 0.3}} for name in ("alba", "bruno")}}
    with serving(**slow) as wide, serving() as quick:
        fill(night, quick, "questions", "pool")
        served = {name: one.model_copy(update={"concurrency": 2}) for name, one in wide.items()}
        url = served["alba"].urls[0]
        with crew.crew(2, served, night.dir), ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(crew.make_by_crew, job) for job in jobs(night, served)]
            while counted(url)["answered"] < 2:
                time.sleep(0.02)
            crew.drain(20)
            errors = [each.exception() for each in asked]  # a chunk of one row may be whole by now
            assert sum(isinstance(one, Stopped) for one in errors) >= 4
            assert all(one is None or isinstance(one, Stopped) for one in errors)
            with pytest.raises(Stopped):
                crew.make_by_crew(jobs(night, served)[0])
        crew.begin()
        journals = [night.store.journal(chunk) for chunk in STEPS["answers"].chunks(night)]
        assert sum(len(list(replies(path))) for path in journals) == counted(url)["total"]
        assert counted(url)["aborted"] == 0


def test_no_process_outlives_a_parent_that_is_killed(make: Make, tmp_path: Path) -> None:
    night = make()
    with serving(**SLOW) as slow, serving() as quick:
        fill(night, quick, "questions", "pool")
        code = "import pickle, sys; from pathlib import Path; from tasks.crew_member import Member\n"
        code += "Member(Path(sys.argv[1])).make(pickle.loads(bytes.fromhex(sys.argv[2])))"
        job = pickle.dumps(jobs(night, slow)[0]).hex()
        with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "clients.log"), job]) as parent:
            [worker] = started(parent.pid)
            os.kill(parent.pid, signal.SIGKILL)
            parent.wait()
            worker.wait(timeout=120)


def workers(parent: int) -> list[psutil.Process]:
    """The living of a parent's processes that are of a crew; of other tests there may be others, and dead ones."""
    children = psutil.Process(parent).children()
    return [one for one in children if not gone(one) and "tasks.crew_worker" in one.cmdline()]


def started(parent: int, want: int = 1) -> list[psutil.Process]:
    """The parent's processes of a crew, as soon as there are so many."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        found = workers(parent)
        if len(found) == want:
            return found
        time.sleep(0.05)
    raise AssertionError("no such processes")


def test_limits_are_never_divided_and_nobody_goes_without_a_slot() -> None:
    free = Endpoint(model="m", urls=("http://one/v1", "http://two/v1"), concurrency=600)
    paid = free.model_copy(update={"budget": 1.0})
    assert processes(4, {"m": free}) == 4
    assert processes(4, {"m": paid}) == processes(4, {}) == 1
    assert processes(4, {"m": free.model_copy(update={"concurrency": 3}), "p": paid}) == 3
    assert processes("auto", {"m": free}, cores=16) == 2
    assert processes("auto", {"m": free}, cores=1) == 1
    assert processes("auto", {"m": free.model_copy(update={"concurrency": 8})}, cores=16) == 1
