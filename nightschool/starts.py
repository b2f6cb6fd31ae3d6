"""From starts of servers that were measured to those ahead: by the phases that they are for, else by their engines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Phases whose servers are up together: one start, or one for each of those that have no room beside each other.
DESKS = (
    ("questions", "answers"), ("drafts",), ("pairs", "rounds"), ("validate", "timing", "ablate"),
    ("challenges", "arena"), ("quality",), ("predict",),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Start:
    """One start of servers that are up together, for a phase; `engines` are theirs."""

    phase: str
    engines: frozenset[str]
    seconds: float


def desk_of(phase: str) -> tuple[str, ...]:
    """The phases that ask the same servers as this one; none for a phase that asks nobody."""
    return next((desk for desk in DESKS if phase in desk), ())


def ahead_s(phase: str, engines: frozenset[str], evenings: Iterable[Sequence[Start]], *, begins: bool) -> float | None:
    """Seconds until the servers of a phase answer; None where no start of such engines was measured.

    Args:
        engines: of the models that it asks.
        evenings: what was measured, the evening to go by first.
        begins: nobody is up for it; else only those count that have to make room for each other.
    """
    desk, nearest = desk_of(phase), list(evenings)
    for starts in nearest:
        own = {one: [each for each in starts if each.phase == one and each.engines <= engines] for one in desk}
        first, *others = [one for one in desk if own[one]] or [""]
        if first and (begins or phase in others):
            return sum(each.seconds for each in own[first if begins else phase])
    if not begins:
        return 0.0
    for starts in nearest:
        if alike := [one.seconds for one in starts if one.engines == engines]:
            return sum(alike) / len(alike)
    return None
