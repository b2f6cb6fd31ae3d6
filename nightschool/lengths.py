"""From verdicts on pairs and the lengths of the two to the win rate that is left where both are as long."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nightschool.statistics import CONFIDENCE

RESAMPLES = 2000
_STEPS = 30
# A weak normal prior on the slope alone: where the longer one always wins, nothing else keeps it finite.
_RIDGE = 0.1

Floats = NDArray[np.float64]


def at_equal_length(
    score_N: ArrayLike, longer_N: ArrayLike, *, seed: int, resamples: int = RESAMPLES
) -> tuple[float, float, float]:
    """The chance to be preferred at equal length: (value, low, high).

    Fits score = 1 / (1 + exp(-(a + b tanh(d / sd(d))))) by Newton's steps, for d = how much longer ours is, and takes
    it at d = 0. The interval is of the Bayesian bootstrap over pairs, with half a pair won and half a one lost at
    d = 0.

    Args:
        score_N: of each pair, from 0 (theirs is better) to 1 (ours is); a tie is 0.5.
        longer_N: characters that ours has more than theirs.

    Raises:
        ValueError: no pairs, or not as many lengths.

    Source: Dubois et al. 2024, arXiv 2404.04475 (length-controlled AlpacaEval), without its terms for single prompts.
    """
    score, longer = (np.asarray(values, dtype=np.float64) for values in (score_N, longer_N))
    if score.size == 0 or score.shape != longer.shape:
        raise ValueError(f"need a length for each score, got {score.shape} and {longer.shape}")
    spread = float(longer.std()) or 1.0
    x = np.r_[np.tanh(longer / spread), 0.0, 0.0]
    y = np.r_[score, 1.0, 0.0]
    shape = np.r_[np.ones(score.size), 0.5, 0.5]
    weights = np.random.default_rng(seed).standard_gamma(shape, size=(resamples, shape.size))
    rate_R = _fitted(x, y, np.vstack([shape, weights]))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(rate_R[1:], [tail, 1 - tail])
    value = float(rate_R[0])
    return value, min(value, float(low)), max(value, float(high))


def _fitted(x_N: Floats, y_N: Floats, weights_R_N: Floats) -> Floats:
    """The fitted chance at x = 0, for each row of weights."""
    a, b = np.zeros(len(weights_R_N)), np.zeros(len(weights_R_N))
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-(a[:, None] + b[:, None] * x_N)))
        off, bend = weights_R_N * (y_N - p), weights_R_N * p * (1 - p)
        by_a, by_b = off.sum(axis=1), off @ x_N - _RIDGE * b
        aa, ab, bb = bend.sum(axis=1), bend @ x_N, bend @ x_N**2 + _RIDGE
        size = aa * bb - ab * ab
        # Steps are cut: far from the top the curve is nearly flat, and a whole one leads away.
        a = a + np.clip((bb * by_a - ab * by_b) / size, -1, 1)
        b = b + np.clip((aa * by_b - ab * by_a) / size, -1, 1)
    return 1 / (1 + np.exp(-a))
