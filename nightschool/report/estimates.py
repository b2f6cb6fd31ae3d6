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


def short(found: Estimate | None) -> str:
    """ "80.0% [49.0, 94.3]", for a line that has several of them and says what the brackets are; nothing for none."""
    return f"{percent(found.value)} [{100 * found.low:.1f}, {100 * found.high:.1f}]" if found else ""


def short_of(found: Estimate | None) -> str:
    """ "80.0% [49.0, 94.3] of 10"."""
    return f"{short(found)} of {found.n:,}" if found else ""


def best_guess(baselines: Mapping[str, Estimate]) -> tuple[str, Estimate] | None:
    """What reaches most without a model: always the commonest answer, or chance; None where nothing was guessed."""
    return max(guessed(baselines), key=lambda one: one[1].value, default=None)


def beside(baselines: Mapping[str, Estimate]) -> str:
    """ ", where always B reaches 28.1% [24.0, 32.6] of 420"; nothing where that is not known."""
    best = best_guess(baselines)
    return f", where {best[0]} reaches {short_of(best[1])}" if best else ""


def size_of(found: Estimate | Gain | None) -> str:
    """Its number of answers; nothing where there is none."""
    return f"{found.n:,}" if found and found.n is not None else ""


def taking(mean_s: float, low_s: float | None, high_s: float | None) -> str:
    """ "8.1 s (7.9 s to 8.4 s)"; a report of an older release has no interval of some."""
    return duration(mean_s) + (f" ({duration(low_s)} to {duration(high_s)})" if low_s and high_s else "")


def guessed(baselines: Mapping[str, Estimate]) -> list[tuple[str, Estimate]]:
    """What needs no model, by names that people read."""
    return [(plain(name), found) for name, found in baselines.items()]
