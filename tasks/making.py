"""One chunk made and committed, or found whole: the work of a task, without its orchestrator."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass

from nightschool.chunks import Chunk
from nightschool.errors import Refused
from tasks import progress
from tasks.failures import failed_rows
from tasks.night import opened
from tasks.step import Served
from tasks.steps import STEPS
from tasks.tries import Try


@dataclass(frozen=True, slots=True)
class Job:
    """A chunk to make: plain data, which may go to another process.

    `place` is the store, a folder or a URL; `stamp` the identity of the night's recipe, see `Night.stamp`; `served`
    the endpoints of the models that the phase asks.
    """

    place: str
    night: str
    stamp: str
    chunk: Chunk
    served: Served


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a chunk ended well: `Completed`, `CompletedWithGaps` or `Cached`; and in words."""

    name: str
    message: str


_under_way: list[Chunk] = []


def under_way() -> int:
    """How many chunks this process is making."""
    return len(_under_way)


def make(job: Job) -> Outcome:
    """Makes one chunk of a night, or finds it made.

    Raises:
        NightError: as the phase and the store do; what was paid for before is in the chunk's journal.
    """
    _under_way.append(job.chunk)
    try:
        return _make(job)
    finally:
        _under_way.remove(job.chunk)


def _make(job: Job) -> Outcome:
    night, chunk = opened(job.place, job.night, job.stamp), job.chunk
    counts = progress.tracker(chunk.phase)
    with night.store.lock(chunk, lambda who: counts.say(f"{chunk.label} is being made by {who}: waiting")):
        found = night.store.manifest(chunk)
        if found:
            counts.rows(chunk.rows, reused=True)
            return Outcome("Cached", f"{found.rows} rows were there already")
        if chunk.key in night.pins.values():
            raise Refused("an older recipe made this phase, which was accepted: nothing new is made under it")
        night.store.reopen(chunk)
        began = time.monotonic()
        with Try(night, chunk):
            made = STEPS[chunk.phase].make(night, chunk, job.served)
            manifest = night.store.commit(
                chunk,
                rows=made.rows,
                dropped=made.dropped,
                figures={"seconds": time.monotonic() - began, "part": chunk.part, **made.figures},
                files=made.files,
            )
            for folder in made.scratch:
                shutil.rmtree(folder, ignore_errors=True)
    dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(manifest.dropped.items()))
    name = "CompletedWithGaps" if failed_rows([manifest]) else "Completed"
    return Outcome(name, f"{manifest.rows} rows kept" + (f"; dropped: {dropped}" if dropped else ""))
