"""From chunks to processes that make them: when one core cannot carry a phase's requests, several share its chunks.

Each has a client of its own with its share of every server's slots. States, tries and the servers stay with the parent.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal

from blocks.call import Counters
from blocks.client import client
from blocks.fleet import outlast
from blocks.replica import ReplicaStats
from nightschool.errors import Stopped
from nightschool.wire import Endpoint
from tasks.crew_member import Member
from tasks.making import Job, Outcome, make
from tasks.night import opened

# One core carries 256 requests of 50 ms (measured, benchmarks/client.py); model servers take far longer over theirs.
_SLOTS_A_PROCESS = 512
# How long requests under way are waited for when a night is told to end; a spot machine gives half a minute.
DRAIN_S = 20.0
_LOOK_EVERY_S = 0.05


class Crew:
    """As many processes as told, started when there is a chunk for them; one that dies is started again.

    Args:
        log: takes what they say on stderr.
    """

    def __init__(self, processes: int, log: Path) -> None:
        self._members = [Member(log) for _ in range(processes)]
        self._busy = [0] * processes
        self._lock = threading.Lock()

    def make(self, job: Job, endpoint: Endpoint) -> Outcome:
        """Has the least busy process make a chunk; servers that die under it are waited for here.

        Raises:
            WorldError: the process died; what it had asked is in the chunk's journal.
            NightError: as `tasks.making.make` does.
        """
        if client().stopped:
            raise Stopped
        with self._lock:
            place = min(range(len(self._members)), key=self._busy.__getitem__)
            self._busy[place] += 1
        shared = {name: share(one, place, len(self._members)) for name, one in job.served.items()}
        outcomes: list[Outcome] = []
        try:
            outlast(endpoint, lambda: outcomes.append(self._members[place].make(replace(job, served=shared))))
        finally:
            with self._lock:
                self._busy[place] -= 1
        return outcomes[-1]

    def drain(self, most_s: float) -> None:
        """Tell all of them to ask nothing more, see `blocks.client.Client.drain`; returns at once."""
        for member in self._members:
            member.drain(most_s)

    @property
    def busy(self) -> bool:
        """Whether a chunk is being made."""
        return any(member.busy for member in self._members)

    def replicas(self) -> list[ReplicaStats]:
        """What all processes counted, also those that have ended."""
        return [one for member in self._members for one in member.replicas()]

    def close(self) -> None:
        """Ends the processes."""
        for member in self._members:
            member.close()


def share(endpoint: Endpoint, place: int, among: int) -> Endpoint:
    """The endpoint with the slots of one of several processes, the first ones with one more if they can't be equal."""

    def part(slots: int) -> int:
        each, left = divmod(slots, among)
        return each + (place < left)

    slots = {"concurrency": part(endpoint.concurrency), "most_concurrency": part(endpoint.most_concurrency)}
    return endpoint.model_copy(update=slots)


_crews: list[Crew] = []
_ended: list[ReplicaStats] = []
_before: list[Counters] = [Counters()]


def begin() -> None:
    """A night begins: `stats` counts from here, though the process may have run, or stopped, others."""
    client().resume()
    _before[0] = _counted()


def drain(most_s: float) -> None:
    """Ask nothing more: every chunk that asks ends with Stopped, once its requests under way are answered.

    Args:
        most_s: how long these are waited for.
    """
    ends = time.monotonic() + most_s
    for one in _crews.copy():
        one.drain(most_s)
    client().drain(most_s)
    while any(one.busy for one in _crews.copy()) and time.monotonic() < ends:
        time.sleep(_LOOK_EVERY_S)


@contextmanager
def drained(most_s: float = DRAIN_S) -> Iterator[None]:
    """Drains when the block is left because the process is told to end (Ctrl-C, SIGTERM, a cancelled run)."""
    try:
        yield
    finally:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, Exception):
            drain(most_s)


@contextmanager
def crew(wanted: int | Literal["auto"], served: Mapping[str, Endpoint], folder: Path) -> Iterator[None]:
    """While inside, chunks that ask models are made by so many processes; with one, by this one."""
    count = processes(wanted, served)
    if count < 2:
        yield
        return
    mine = Crew(count, folder / "clients.log")
    _crews.append(mine)
    try:
        yield
    finally:
        _crews.remove(mine)
        mine.close()
        add(mine.replicas())


def processes(wanted: int | Literal["auto"], served: Mapping[str, Endpoint], cores: int | None = None) -> int:
    """How many processes: as wanted, but each has a slot of every server; limits and budgets are never divided.

    Args:
        cores: of this machine, unless told otherwise.
    """
    free = [endpoint for endpoint in served.values() if not metered(endpoint)]
    if not free:
        return 1
    if wanted == "auto":
        slots = sum(endpoint.concurrency * len(endpoint.urls) for endpoint in free)
        wanted = max(1, min(cores or os.cpu_count() or 1, slots // _SLOTS_A_PROCESS))
    return min(wanted, *(endpoint.concurrency for endpoint in free))


def make_by_crew(job: Job) -> Outcome:
    """A chunk made by the crew, if there is one and it may ask the chunk's model; else made here.

    Raises:
        NightError: as `tasks.making.make` does.
    """
    endpoint = job.served.get(job.chunk.part)
    if not _crews or endpoint is None or metered(endpoint):
        return make(job)
    if opened(job.place, job.night, job.stamp).store.manifest(job.chunk):
        return make(job)
    return _crews[-1].make(job, endpoint)


def metered(endpoint: Endpoint) -> bool:
    """Whether it has a limit or a budget, which is kept by one process alone."""
    return any((endpoint.requests_per_minute, endpoint.tokens_per_minute, endpoint.budget is not None))


def add(more: Sequence[ReplicaStats]) -> None:
    """Counts what processes did that have ended, or are none of ours."""
    _ended[:] = _together([*_ended, *more])


def replicas() -> list[ReplicaStats]:
    """Each server's numbers since this process began, whichever process asked it."""
    return [*client().replicas(), *_together(_elsewhere())]


def stats() -> Counters:
    """What was sent and came back since the night began, over all servers and processes."""
    now, before = _counted(), _before[0]
    return Counters(**{each.name: getattr(now, each.name) - getattr(before, each.name) for each in fields(Counters)})


def _elsewhere() -> list[ReplicaStats]:
    return [*_ended, *(one for each in _crews for one in each.replicas())]


def _counted() -> Counters:
    """Since this process began, what was timed included."""
    return _sum([client().stats(), *_elsewhere()])


def _together(found: Sequence[ReplicaStats]) -> list[ReplicaStats]:
    """One for each server: its counts added up, its slots too."""
    groups: dict[str, list[ReplicaStats]] = {}
    for one in found:
        groups.setdefault(one.url, []).append(one)
    return [
        ReplicaStats(
            **{each.name: getattr(_sum(group), each.name) for each in fields(Counters)},
            url=url,
            models=tuple(sorted({model for one in group for model in one.models})),
            in_flight=sum(one.in_flight for one in group),
            limit=sum(one.limit for one in group),
            state="up" if any(one.state == "up" for one in group) else group[-1].state,
        )
        for url, group in groups.items()
    ]


def _sum(found: Sequence[Counters]) -> Counters:
    return Counters(**{each.name: sum(getattr(one, each.name) for one in found) for each in fields(Counters)})
