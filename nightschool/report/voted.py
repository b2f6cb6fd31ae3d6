"""From counts of right answers and seconds to an ensemble's figures, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool.report.grid import SEED
from nightschool.report.predicted import Took
from nightschool.report.proof import Estimate, Gain
from nightschool.resampling import bootstrap_mean
from nightschool.statistics import mcnemar_exact, paired_share, quantiles, wilson


def share(count: int, n: int) -> Estimate | None:
    """A share with Wilson's interval; None of nothing."""
    if not n:
        return None
    low, high = wilson(count, n)
    return Estimate(value=count / n, low=low, high=high, n=n)


def beside(over: str, before_P: Sequence[bool], after_P: Sequence[bool]) -> Gain | None:
    """What `after` gains on the same problems: Agresti and Min's interval, McNemar's exact test; None of nothing."""
    if not before_P:
        return None
    pairs = list(zip(before_P, after_P, strict=True))
    only_before, only_after = pairs.count((True, False)), pairs.count((False, True))
    value, low, high = paired_share(only_before, only_after, len(pairs))
    return Gain(over=over, value=value, low=low, high=high, p=mcnemar_exact(only_before, only_after), n=len(pairs))


def took(seconds_P: Sequence[float], *, per_problem_s: float | None, used_s: float | None, total_s: float | None
) -> Took | None:  # fmt: skip
    """None where no problem was timed."""
    if not seconds_P:
        return None
    (p95_s,) = quantiles(seconds_P, (0.95,))
    mean_s, low_s, high_s = bootstrap_mean(seconds_P, seed=SEED)
    return Took(
        problems=len(seconds_P), mean_s=mean_s, mean_low_s=low_s, mean_high_s=high_s, p95_s=p95_s, max_s=max(seconds_P),
        per_problem_s=per_problem_s, used_s=used_s, total_s=total_s,
    )  # fmt: skip
