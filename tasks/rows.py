"""The rows of a night for a person to look at, in order."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.night import Night
from tasks.redo import chosen


def lines(night: Night, phase: str, chunk: int | None, *, dropped: bool) -> Iterator[bytes]:
    """Kept or dropped rows of a phase, or of one chunk of it, as JSON lines; chunks that are not whole have none.

    Raises:
        RecipeError: the night has no such phase or chunk; names those that it has.
    """
    for one, _ in night.made(chosen(night, phase, chunk)):
        yield from night.store.lines(one, dropped=dropped)
