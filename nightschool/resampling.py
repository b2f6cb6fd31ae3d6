"""From measured amounts, of whatever shape, to their mean with an interval by resampling.

Shape letters: R = resamples, N = values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from nightschool.statistics import CONFIDENCE, Floats

RESAMPLES = 10_000
# Index draws held at once while resampling: 32 MB of int64.
_BLOCK = 4_000_000
# Of the values themselves: what is left of equal ones by rounding.
_NEXT_TO_NOTHING = 1e-12


def bootstrap_mean(
    values_N: ArrayLike, *, seed: int, resamples: int = RESAMPLES, confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """The mean with its interval: (value, low, high); the same seed gives the same interval.

    Studentised bootstrap: the quantiles of (m* - m) / s*, times s, for the standard errors s of the mean and s* of each
    resample's; and on no side nearer than Student's, which resamples of a few values can't tell. Times are skewed, and
    a percentile bootstrap of them holds the truth in 85 to 93 of 100, and is mostly too low (`python -m
    benchmarks.coverage`). One value has no spread, and no interval around it; what is never negative has no such end.

    Raises:
        ValueError: no values, or a value that is not finite.

    Source: Efron & Tibshirani 1993, section 12.5 (bootstrap-t); Hesterberg 2015, The American Statistician 69:371, on
    why not percentiles.
    """
    values = np.asarray(values_N, dtype=np.float64).ravel()
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("a mean needs at least one value, all of them finite")
    mean, error = float(values.mean()), _errors(values[None])[0] if values.size > 1 else 0.0
    if not error > _NEXT_TO_NOTHING * abs(mean):
        return mean, mean, mean
    ends = ((1 - confidence) / 2, (1 + confidence) / 2)
    low, high = np.quantile(_studentised(values, np.random.default_rng(seed), resamples), ends)
    student, least = float(stdtrit(values.size - 1, ends[1])), 0.0 if values.min() >= 0 else -np.inf
    return mean, max(least, mean - error * max(float(high), student)), mean - error * min(float(low), -student)


def _studentised(values_N: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """(m* - m) / s* of so many resamples, a block of them at a time; those that are all alike are left out."""
    found: list[Floats] = []
    for start in range(0, resamples, rows := max(1, _BLOCK // values_N.size)):
        drawn_R_N = values_N[rng.integers(0, values_N.size, (min(rows, resamples - start), values_N.size))]
        errors_R = _errors(drawn_R_N)
        spread = errors_R > _NEXT_TO_NOTHING * np.abs(values_N).max()
        found.append((drawn_R_N.mean(axis=1)[spread] - values_N.mean()) / errors_R[spread])
    return np.concatenate([*found, np.zeros(1)])


def _errors(values_R_N: Floats) -> Floats:
    """Standard errors of means."""
    return values_R_N.std(axis=1, ddof=1) / np.sqrt(values_R_N.shape[1])
