"""From a search's trials to the words that the page, the terminal and Prefect have for them."""

from __future__ import annotations

from nightschool.gates import shown
from nightschool.report.estimates import best_guess, counted
from nightschool.report.text import duration, points
from nightschool.tune import Scored, Trial, Tuned, luck


def scored(metric: str, found: Scored | None, none: str = "") -> str:
    """ "31.0% (20.0% to 40.0%, n 300)"; what has no interval or n is without."""
    if found is None:
        return none
    low, high = found.low, found.high
    sure = [] if low is None or high is None else [f"{shown(metric, low)} to {shown(metric, high)}"]
    sure += [f"n {found.n:,}"] if found.n is not None else []
    return f"{shown(metric, found.value)} ({', '.join(sure)})" if sure else shown(metric, found.value)


def beside(found: Scored | None) -> str:
    """ ", where always B reaches 25.0% (21.0% to 29.5%, n 400)"; nothing where the metric has nothing to guess."""
    best = best_guess(found.baselines) if found else None
    return f", where {best[0]} reaches {counted(best[1])}" if best else ""


def chosen(found: Tuned, top: Trial) -> str:
    """Of how many the best is the best, and what of it may be luck, in a sentence."""
    looks, more = luck(found.trials, top)
    if more is None:
        return "It is the only one that came to a score." if looks == 1 else f"It is the best of {looks}."
    much = duration(more) if found.metric.endswith("_s") else f"{points(more).removeprefix('+')} points"
    return (
        f"It is the best of {looks} looks, so part of it is luck: if all {looks} were equally good, the best of them "
        f"would still come out up to {much} better than they are."
    )
