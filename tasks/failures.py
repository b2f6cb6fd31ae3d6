"""The rows that did not make it, each with its reason, its attempts and the last that was heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from nightschool.chunks import Chunk, Manifest
from tasks.night import Night
from tasks.steps import STEPS, phases


@dataclass(frozen=True, slots=True)
class Loss:
    """A row that did not make it.

    `failed`: the world gave no reply, so that it may be asked again; otherwise a reply, or a row, was judged and
    dropped. `attempts` counts the requests, 0 for a phase that asks nobody.
    """

    phase: str
    chunk: int
    id: str
    topic: str
    reason: str
    failed: bool
    attempts: int
    detail: str
    text: str


class _Row(BaseModel):
    """Of any dropped row, what tells why; a later phase drops rows of another kind."""

    model_config = ConfigDict(extra="ignore")

    id: str
    topic: str = ""
    reason: str | None = None
    failed: bool = False
    attempts: int = 0
    detail: str = ""
    text: str = ""


def losses(night: Night, phase: str | None = None, reason: str | None = None) -> Iterator[Loss]:
    """Every row that did not make it, in the order of the night.

    Args:
        phase: only of this one.
        reason: only these.

    Raises:
        RecipeError: there is no such phase.
    """
    night = night.at_a_glance
    for name in phases(night.recipe, phase):
        for chunk, manifest in night.made(STEPS[name].chunks(night)):
            if manifest.dropped and (reason is None or reason in manifest.dropped):
                yield from of_chunk(night, chunk, manifest, reason)


def of_chunk(night: Night, chunk: Chunk, manifest: Manifest, reason: str | None = None) -> Iterator[Loss]:
    """The rows of one whole chunk that did not make it."""
    for row in night.store.dropped(chunk, _Row):
        # A row that is dropped for its chunk's only reason need not repeat it.
        found = row.reason or "/".join(sorted(manifest.dropped))
        if reason in (None, found):
            parts = row.topic, found, row.failed, row.attempts, row.detail, row.text
            yield Loss(chunk.phase, chunk.ordinal, row.id, *parts)


def failed_rows(manifests: Sequence[Manifest]) -> int:
    """How many rows of these chunks have no reply: the gaps of their phase."""
    return sum(int(manifest.figures.get("failed", 0)) for manifest in manifests)


def mend(night: Night, phase: str) -> str:
    """The command that asks for the failed rows of a phase again."""
    return f"nightschool rerun {night.name} --failed --phase {phase}{night.flags}"
