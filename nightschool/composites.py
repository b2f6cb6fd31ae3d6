"""From shares of several groups to one figure made of them, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nightschool.statistics import CONFIDENCE, RESAMPLES, Floats, resampled_means


def mean_of_means(
    groups_G_N: Sequence[ArrayLike], *, seed: int, resamples: int = RESAMPLES, confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """Every group's mean counts once, however many values it has, as in balanced accuracy: (value, low, high).

    Percentile bootstrap, each group resampled by itself; the same seed gives the same interval.

    Raises:
        ValueError: no group, or one without values or with a value that is not finite.

    Source: Davison & Hinkley 1997, section 3.2 (several samples); the same as scipy.stats.bootstrap of several samples.
    """
    groups: list[Floats] = [np.asarray(group, dtype=np.float64).ravel() for group in groups_G_N]
    if not groups or not all(group.size and np.isfinite(group).all() for group in groups):
        raise ValueError("a mean of means needs groups of at least one value, all of them finite")
    rng = np.random.default_rng(seed)
    means = np.mean([resampled_means(group, rng, resamples) for group in groups], axis=0)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(np.mean([group.mean() for group in groups])), float(low), float(high)
