"""Where a night stands, read from the store alone: phases and chunks, their state, rows, rate, last error."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from blocks import turns
from blocks.glance import lines_in
from nightschool.chunks import Chunk
from tasks import review
from tasks.failures import failed_rows
from tasks.ledger import last_run
from tasks.night import Night
from tasks.steps import STEPS, phases
from tasks.tries import Note, Notes, tries

State = Literal["made", "gaps", "running", "begun", "missing", "failed"]


@dataclass(frozen=True, slots=True)
class ChunkStatus:
    """One chunk.

    `rows` are kept, or on file while it is not made; `total` is how many were to be asked, 0 for a chunk that asks
    nobody. `rate` in rows a second, of those that were not on file before. `tries` counts how often it was begun.
    A chunk with `gaps` is made, but for `failed` of its `dropped` rows the world gave no reply.
    """

    index: int
    label: str
    state: State
    rows: int
    dropped: int = 0
    failed: int = 0
    total: int = 0
    seconds: float | None = None
    rate: float | None = None
    tries: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class PhaseStatus:
    """One phase; without chunks it is not known yet how many it will have, or the recipe leaves it out.

    `seconds`, `rate` (rows a second) and `eta_s` are of the last run that made any of it.
    """

    phase: str
    chunks: list[ChunkStatus]
    seconds: float | None = None
    rate: float | None = None
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class NightStatus:
    """A night; `running` if a process of this machine is at it; `flags` as in `tasks.night.Night`.

    `waiting` rows are for a person to decide; `queued`: it waits for its turn at the devices; `stopped_by`: why the
    last run ended before its time.
    """

    night: str
    running: bool
    phases: list[PhaseStatus]
    flags: str = ""
    where: str = ""
    waiting: int = 0
    queued: bool = False
    stopped_by: str | None = None


def status(night: Night, phase: str | None = None) -> NightStatus:
    """All phases of the recipe in order, or one of them, at a glance: also while another process runs the night.

    Raises:
        RecipeError: there is no such phase.
    """
    night = night.at_a_glance
    notes, running = tries(night), night.running
    # Whoever runs a night writes this file first.
    started = (night.dir / "night.json").stat().st_mtime
    return NightStatus(
        night.name,
        running,
        [_phase(night, one, notes, running, started) for one in phases(night.recipe, phase)],
        night.flags,
        night.where,
        len(review.undecided(night)) if night.recipe.review else 0,
        running and turns.waits(night.dir),
        None if running else last_run(night.dir).stopped_by,
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """The last try at a chunk: its moments, and the rows that came in between them."""

    began: float
    ended: float
    rows: float

    @property
    def rate(self) -> float | None:
        return self.rows / (self.ended - self.began) if self.ended > self.began and self.rows else None


def _phase(night: Night, phase: str, notes: Notes, running: bool, started: float) -> PhaseStatus:
    found: list[ChunkStatus] = []
    spans: list[_Span] = []
    for chunk in STEPS[phase].chunks(night):
        mine = notes.get((chunk.phase, chunk.key, chunk.index), ())
        one, span = _chunk(night, chunk, mine, started if running else math.inf)
        found.append(one)
        spans += [span] if span and span.began >= started else []
    if not spans:
        return PhaseStatus(phase, found)
    whole = _Span(
        min(span.began for span in spans), max(span.ended for span in spans), sum(span.rows for span in spans)
    )
    left = sum(max(0, one.total - one.rows) for one in found if one.state not in ("made", "gaps"))
    eta_s = left / whole.rate if running and left and whole.rate else None
    return PhaseStatus(phase, found, max(0.0, whole.ended - whole.began), whole.rate, eta_s)


def _chunk(night: Night, chunk: Chunk, notes: Sequence[Note], since: float) -> tuple[ChunkStatus, _Span | None]:
    manifest = night.store.manifest(chunk)
    last = notes[-1].event if notes else None
    journal = night.store.journal(chunk)
    on_file = 0 if manifest else lines_in(journal)
    if manifest:
        state: State = "gaps" if failed_rows([manifest]) else "made"
    elif last == "began" and notes[-1].at >= since:
        state = "running"
    else:
        state = "failed" if last == "failed" else "begun" if on_file or last else "missing"
    span = None if state == "begun" else _span(notes, chunk.rows if manifest else on_file, journal)
    found = ChunkStatus(
        index=chunk.ordinal,
        label=chunk.label,
        state=state,
        rows=manifest.rows if manifest else on_file,
        dropped=sum(manifest.dropped.values()) if manifest else 0,
        failed=failed_rows([manifest]) if manifest else 0,
        total=chunk.rows,
        seconds=manifest.figures.get("seconds") if manifest else span and span.ended - span.began,
        rate=span and span.rate,
        tries=sum(note.event == "began" for note in notes),
        error=None if manifest else next((note.error for note in reversed(notes) if note.error), None),
    )
    return found, span


def _span(notes: Sequence[Note], rows: int, journal: Path) -> _Span | None:
    """The last try; what was in the journal before it is not counted."""
    began = next((note for note in reversed(notes) if note.event == "began"), None)
    if began is None:
        return None
    last = notes[-1]
    if last is began:
        size = journal.stat().st_size if journal.exists() else 0
        last = Note("began", time.time(), size)
    fresh = 1 - began.bytes / last.bytes if last.bytes else 1.0
    return _Span(began.at, last.at, rows * max(0.0, fresh))
