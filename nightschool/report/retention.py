"""What goes of a store, in lines for a person."""

from __future__ import annotations

from collections import Counter

from nightschool.report.text import duration, size
from nightschool.retention import Choice

_DAY_S = 86_400


def told(choice: Choice, now: float, freed: int | None) -> list[str]:
    """A line for each night that goes, one for the chunks by phase, and the sum.

    Args:
        now: in seconds of the epoch.
        freed: bytes, None where nothing was removed yet.
    """
    lines = [f"night {one.name}: {size(one.bytes)}, last used {_ago(now - one.used)} ago" for one in choice.nights]
    by_phase: Counter[str] = Counter()
    for one in choice.folders:
        by_phase[one.name.partition("/")[0]] += one.bytes
    lines += [f"rows and models of {phase}: {size(count)}" for phase, count in by_phase.items()]
    if not lines:
        return [f"Nothing is to go: {size(choice.before)} stay."]
    left = size(choice.before - (choice.freed if freed is None else freed))
    if freed is None:
        return [*lines, f"{size(choice.freed)} would go, {left} stay. Nothing was removed: --yes does it."]
    return [*lines, f"{size(freed)} removed, {left} stay."]


def _ago(seconds: float) -> str:
    return f"{seconds / _DAY_S:.0f} days" if seconds >= 2 * _DAY_S else duration(max(0.0, seconds))
