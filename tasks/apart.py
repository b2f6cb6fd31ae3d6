"""A chunk made in a process that Prefect's task runner keeps, on this machine or on another.

Such a process has a client of its own and nobody who listens to it: what it did comes back with the next chunk.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from dataclasses import dataclass, fields, replace
from functools import cache

from blocks.call import Counters
from blocks.client import client
from blocks.memory import look_seldom
from blocks.replica import ReplicaStats
from tasks import progress
from tasks.crew import add
from tasks.making import Job, Outcome, make


@dataclass(frozen=True, slots=True)
class Account:
    """What a process did since its last account: rows of each phase (done, and those of them that were on file), and
    what its client counted.
    """

    rows: dict[str, tuple[int, int]]
    replicas: list[ReplicaStats]


_lock = threading.Lock()
_told_rows: dict[str, tuple[int, int]] = {}
_told_replicas: dict[str, ReplicaStats] = {}


def make_apart(job: Job) -> tuple[Outcome, Account]:
    """Makes a chunk, or finds it made, in the process that this is called in.

    Raises:
        NightError: as `tasks.making.make` does; what was done before is told with the next chunk.
    """
    _settle()
    outcome = make(job)
    return outcome, _account()


def take(account: Account) -> None:
    """Counts what another process did as if it had been done here."""
    for phase, (done, reused) in account.rows.items():
        counts = progress.tracker(phase)
        if reused:
            counts.rows(reused, reused=True)
        if done > reused:
            counts.rows(done - reused)
    add(account.replicas)


def _account() -> Account:
    with _lock:
        rows, replicas = dict[str, tuple[int, int]](), list[ReplicaStats]()
        for event in progress.standing():
            done, reused = _told_rows.get(event.phase, (0, 0))
            rows[event.phase] = event.done - done, event.reused - reused
            _told_rows[event.phase] = event.done, event.reused
        for place, now in enumerate(client().replicas()):
            # A server that is asked under two concurrencies is listed twice, always in the same order.
            before = _told_replicas.get(f"{place} {now.url}", ReplicaStats())
            since = {each.name: getattr(now, each.name) - getattr(before, each.name) for each in fields(Counters)}
            replicas.append(replace(now, **since, in_flight=0, limit=0))
            _told_replicas[f"{place} {now.url}"] = now
        return Account(rows, replicas)


@cache
def _settle() -> None:
    """Once a process: it ends with the one that started it, which may be killed before it can say so."""
    look_seldom()
    if parent := multiprocessing.parent_process():

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, name="ending with its parent", daemon=True).start()
