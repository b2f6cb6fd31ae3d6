"""The way back: what of a night is to be made by its next run, and what of it is to be made anew."""

from __future__ import annotations

from dataclasses import dataclass

from blocks.journal import replies
from nightschool.chunks import Chunk
from nightschool.errors import RecipeError
from tasks.night import Night
from tasks.steps import STEPS


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the next run finds of the chunks that were named.

    `whole` are left as they are; `missing` are made, and have `on_file` replies already; `others` are chunks of the
    same phase that nobody named and that are missing too.
    """

    whole: int
    missing: int
    on_file: int
    others: int


def ahead(night: Night, phase: str, chunk: int | None) -> Ahead:
    """What a run would make of a phase, or of one chunk of it; nothing is changed.

    Raises:
        RecipeError: the night has no such phase or chunk; names those that it has.
    """
    named = chosen(night, phase, chunk)
    missing = [one for one in named if not night.store.manifest(one)]
    on_file = sum(len({reply.id for reply in replies(night.store.journal(one))}) for one in missing)
    everything = STEPS[phase].chunks(night)
    others = len(everything) - len(night.made(everything)) - len(missing)
    return Ahead(len(named) - len(missing), len(missing), on_file, others)


def forget(night: Night, phase: str, chunk: int | None) -> int:
    """Forgets one chunk of a phase, or all of them, replies and all; how many there were.

    What depends on them is not touched: it is made again only if the new rows differ.

    Raises:
        RecipeError: the night has no such phase or chunk; names those that it has.
    """
    named = chosen(night, phase, chunk)
    for one in named:
        with night.store.lock(one):
            night.store.forget(one)
    return len(named)


def chosen(night: Night, phase: str, chunk: int | None) -> list[Chunk]:
    """The chunks of a phase, or the one that is named.

    Raises:
        RecipeError: the night has no such phase or chunk; names those that it has.
    """
    step = STEPS.get(phase)
    if step is None:
        raise RecipeError("no such phase", field="--phase", value=phase, allowed=", ".join(STEPS))
    chunks = step.chunks(night)
    named = [one for one in chunks if chunk is None or one.ordinal == chunk]
    if not named:
        allowed = f"0 to {len(chunks) - 1}" if chunks else "none: the phase has not been reached"
        raise RecipeError(f"phase {phase} has no such chunk", field="--chunk", value=chunk, allowed=allowed)
    return named
