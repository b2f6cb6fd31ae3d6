"""The way back: what of a night is to be made by its next run, and what of it is to be made anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from blocks import journal
from nightschool.chunks import Chunk
from nightschool.errors import RecipeError
from tasks.failures import of_chunk
from tasks.night import Night
from tasks.steps import STEPS, phases


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
    on_file = sum(len({reply.id for reply in journal.replies(night.store.journal(one))}) for one in missing)
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


def ask_again(night: Night, phase: str | None, reason: str | None) -> dict[str, int]:
    """Opens the chunks in which rows failed, so that the next run asks for these rows and no others; rows by phase.

    Phases that were accepted from an older recipe are left as they are.

    Args:
        phase: only of this one.
        reason: only rows with this one; one that judges a reply (such as truncated) may be named too, and that reply
            is given up.

    Raises:
        RecipeError: there is no such phase, or no row to ask again has this reason; names the reasons there are.
    """
    seen = night.at_a_glance
    found = [
        (name, chunk, [row for row in of_chunk(night, chunk, manifest) if row.failed or reason is not None])
        for name in phases(night.recipe, phase)
        if name not in night.accepted
        for chunk, manifest in seen.made(STEPS[name].chunks(seen))
        if manifest.dropped and "requests" in manifest.figures
    ]
    counts: Counter[str] = Counter()
    for name, chunk, rows in found:
        wanted = [row for row in rows if reason in (None, row.reason)]
        counts[name] += len(wanted)
        if wanted:
            _open(night, chunk, {row.id for row in wanted if not row.failed})
    if reason is not None and not counts.total():
        known = ", ".join(sorted({row.reason for _, _, rows in found for row in rows}))
        raise RecipeError("no row that was asked is dropped for this", field="--reason", value=reason, allowed=known)
    return dict(+counts)


def _open(night: Night, chunk: Chunk, judged: set[str]) -> None:
    with night.store.lock(chunk):
        night.store.reopen(chunk)
        if judged:
            journal.forget(night.store.journal(chunk), judged)


def chosen(night: Night, phase: str, chunk: int | None) -> list[Chunk]:
    """The chunks of a phase, or the one that is named.

    Raises:
        RecipeError: the night has no such phase or chunk; names those that it has.
    """
    [name] = phases(night.recipe, phase)
    chunks = STEPS[name].chunks(night)
    named = [one for one in chunks if chunk is None or one.ordinal == chunk]
    if not named:
        allowed = f"0 to {len(chunks) - 1}" if chunks else "none: the phase has not been reached"
        raise RecipeError(f"phase {phase} has no such chunk", field="--chunk", value=chunk, allowed=allowed)
    return named
