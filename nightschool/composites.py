"""From shares of several groups to one figure made of them, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nightschool.statistics import CONFIDENCE, clustered_share


def mean_of_shares(groups_G_Q_S: Sequence[ArrayLike], *, confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """Every group's share counts once, however many questions it has, as in balanced accuracy: (value, low, high).

    low = m - sqrt(sum (p - p.low)^2) / G for the groups' shares p and their own intervals (`clustered_share`), and high
    likewise: a class that is right every time is no certainty, as it is to a bootstrap.

    Raises:
        ValueError: no group, or one without questions or with values outside 0..1.

    Source: Zou & Donner 2008, Statistics in Medicine 27:1693 (MOVER); for two groups, one of them turned round, it is
    Newcombe's interval 10, 1998, ibid. 17:873.
    """
    if not len(groups_G_Q_S):
        raise ValueError("a mean of shares needs at least one group")
    shares_G_3 = np.array([clustered_share(group, confidence=confidence) for group in groups_G_Q_S])
    value, low, high = shares_G_3.T
    down, up = (float(np.linalg.norm(value - end)) / len(value) for end in (low, high))
    mean = float(value.mean())
    return mean, max(0.0, mean - down), min(1.0, mean + up)
