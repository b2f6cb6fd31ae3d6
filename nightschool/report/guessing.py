"""From held-out answers to what a student would reach that has learned nothing: guesses, and always the same answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nightschool.records import Measured
from nightschool.report.proof import Estimate
from nightschool.statistics import wilson


def baselines(rows: Sequence[Measured], *, closed: bool) -> dict[str, Estimate]:
    """The commonest truth, and chance where answers are a few classes, on the questions that were measured.

    The interval is Wilson's, of a guesser on so many questions. Chance gives each class its turn; where every question
    has the same truth there is nothing to guess.

    Source: plan 002, whose "failed" phase B scored 51.5% on a test of which 51.5% were no: it was the majority class.
    """
    truths = Counter({row.question: row.truth for row in rows}.values())
    if not truths:
        return {}
    common, times = max(truths.items(), key=lambda item: (item[1], item[0]))
    count = truths.total()
    found = {f"always {common}": _share(times, count)}
    return found | ({"chance": _share(count / len(truths), count)} if closed and len(truths) > 1 else {})


def _share(right: float, count: int) -> Estimate:
    low, high = wilson(right, count)
    return Estimate(value=right / count, low=low, high=high, n=count)
