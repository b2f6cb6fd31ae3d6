"""One chunk made and committed, or found whole: the work of a task, without its orchestrator."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass

from nightschool.chunks import Chunk, Manifest
from nightschool.errors import Refused, Stopped
from nightschool.records import Dropped
from tasks import progress
from tasks.failures import failed_rows
from tasks.night import opened
from tasks.step import Made, Served
from tasks.steps import STEPS
from tasks.tries import Try

_MOST_IDS = 5


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
_over = threading.Event()


def stop(*, begin_none: bool = True) -> None:
    """Begin no chunk any more: each ends with Stopped, until this is taken back."""
    _over.set() if begin_none else _over.clear()


def stopping() -> bool:
    """Whether no chunk is to be begun any more."""
    return _over.is_set()


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
        if stopping():
            raise Stopped
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
    name = "CompletedWithGaps" if failed_rows([manifest]) else "Completed"
    return Outcome(name, _told(manifest, made))


def _told(manifest: Manifest, made: Made) -> str:
    """What came of a chunk, in a line for people: what was dropped why, and which rows have no reply."""
    dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(manifest.dropped.items()))
    lost = [row.id for _, row in made.dropped if isinstance(row, Dropped) and row.failed]
    ids = ", ".join(lost[:_MOST_IDS]) + (f" and {len(lost) - _MOST_IDS} more" if len(lost) > _MOST_IDS else "")
    parts = [f"{manifest.rows} rows kept", *([f"dropped: {dropped}"] if dropped else [])]
    return "; ".join([*parts, *([f"no reply to {ids}"] if lost else [])])
