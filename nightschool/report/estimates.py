"""From figures to the words that every table and line has for them: a value is never without its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nightschool.report.text import duration, percent, plain, points

if TYPE_CHECKING:
    from nightschool.report.proof import Estimate, Gain


def spoken(found: Estimate | None) -> str:
    """ "80.0% (49.0% to 94.3%)", where the number of answers stands beside it; nothing for none."""
    return f"{percent(found.value)} ({percent(found.low)} to {percent(found.high)})" if found else ""


def counted(found: Estimate | None, none: str = "") -> str:
    """ "80.0% (49.0% to 94.3%, n 10)"."""
    return f"{spoken(found)[:-1]}, n {found.n:,})" if found else none


def gained(gain: Gain | None) -> str:
    """ "+3.0 (-1.0 to +7.0)", in points."""
    return f"{points(gain.value)} ({points(gain.low)} to {points(gain.high)})" if gain else ""


def size_of(found: Estimate | Gain | None) -> str:
    """Its number of answers; nothing where there is none."""
    return f"{found.n:,}" if found and found.n is not None else ""


def taking(mean_s: float, low_s: float | None, high_s: float | None) -> str:
    """ "8.1 s (7.9 s to 8.4 s)"; a report of an older release has no interval of some."""
    return duration(mean_s) + (f" ({duration(low_s)} to {duration(high_s)})" if low_s and high_s else "")


def guessed(baselines: Mapping[str, Estimate]) -> list[tuple[str, Estimate]]:
    """What needs no model, by names that people read."""
    return [(plain(name), found) for name, found in baselines.items()]
