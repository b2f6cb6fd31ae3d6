"""Where a night stands, read from the store alone: phases and chunks, made, half made, missing or failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from blocks.journal import replies
from nightschool.chunks import Chunk, Manifest
from tasks.ledger import last_run
from tasks.night import Night
from tasks.steps import STEPS

State = Literal["made", "begun", "missing", "failed"]


@dataclass(frozen=True, slots=True)
class ChunkStatus:
    """One chunk. `rows` kept (or replies on file while it is begun), `seconds` that it took to make."""

    index: int
    label: str
    state: State
    rows: int
    dropped: int
    seconds: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class PhaseStatus:
    """One phase; without chunks it is not known yet how many it will have, or the recipe leaves it out."""

    phase: str
    chunks: list[ChunkStatus]


def status(night: Night) -> list[PhaseStatus]:
    """All phases in order. A chunk counts as failed if the last run says so and it has not been made since."""
    errors = {(one.phase, one.chunk): one.error for one in last_run(night.dir).failures}
    return [
        PhaseStatus(phase, [_chunk(night, chunk, errors.get((phase, chunk.ordinal))) for chunk in step.chunks(night)])
        for phase, step in STEPS.items()
    ]


def _chunk(night: Night, chunk: Chunk, error: str | None) -> ChunkStatus:
    manifest = night.store.manifest(chunk)
    if manifest:
        return _made(chunk, manifest)
    on_file = sum(1 for _ in replies(night.store.path(chunk, "journal.jsonl")))
    state: State = "failed" if error else "begun" if on_file else "missing"
    return ChunkStatus(chunk.ordinal, chunk.label, state, on_file, 0, None, error)


def _made(chunk: Chunk, manifest: Manifest) -> ChunkStatus:
    dropped = sum(manifest.dropped.values())
    seconds = manifest.figures.get("seconds")
    return ChunkStatus(chunk.ordinal, chunk.label, "made", manifest.rows, dropped, seconds, None)
