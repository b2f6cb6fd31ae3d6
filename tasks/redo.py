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
class Back:
    """What of a night is meant to be made again.

    `fresh`: what is whole is made anew as well; `failed`: only rows without a reply, or dropped for `reason`, are asked
    again; `accept_stale`: phases whose rows stay although the recipe has changed.
    """

    phase: str | None = None
    chunk: int | None = None
    fresh: bool = False
    failed: bool = False
    reason: str | None = None
    accept_stale: tuple[str, ...] = ()


def refuse(back: Back) -> None:
    """Ends what can't be meant.

    Raises:
        RecipeError: a chunk without its phase, rows and chunks at once, rows that are to stay and to go.
    """
    if back.phase is None and (back.fresh or back.chunk is not None):
        raise RecipeError("which phase is meant?", field="--phase", allowed=", ".join(STEPS))
    if back.failed and (back.fresh or back.chunk is not None):
        raise RecipeError("single rows are asked for: it goes with --phase and --reason only", field="--failed")
    if back.phase in back.accept_stale and (back.fresh or back.failed):
        raise RecipeError("rows are accepted as they are or made again, not both", field="--accept-stale")


def go_back(night: Night, back: Back) -> str:
    """Makes the night's next run do what is meant; in words, what it will do.

    Raises:
        RecipeError: there is no such phase, chunk or reason; names those that there are.
    """
    if back.failed:
        counts = ask_again(night, back.phase, back.reason)
        lines = [f"{count:,} rows of {phase} will be asked again." for phase, count in counts.items()]
        return "\n".join(lines) or "No row failed: there is none to ask again."
    phase, chunk = back.phase, back.chunk
    if phase is None:
        return f"Night {night.name} goes on."
    if back.fresh:
        return f"{_chunks(forget(night, phase, chunk))} of {phase} will be made anew, and what depends on them."
    found = ahead(night, phase, chunk)
    lines = [f"{_chunks(found.whole)} of {phase} left alone: whole already (--fresh makes it anew)."]
    lines[1:] = [f"{_chunks(found.missing)} of {phase} to make; {found.on_file:,} replies are on file."]
    lines[2:] = [f"{_chunks(found.others)} of {phase} to make beside that: the night needs all."]
    counts = (found.whole, found.missing, found.others)
    return "\n".join(line for line, count in zip(lines, counts, strict=True) if count)


def _chunks(count: int) -> str:
    return f"{count} {'chunk' if count == 1 else 'chunks'}"


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
