"""Integrated gradients: how much of a score's change each token of an input carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# In logits: two floats of size ten differ by so much in their last digits, added up over a few hundred tokens.
_LEAST = 1e-3
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Attributions:
    """By token, their sum against what the score moved by, and the steps that it took."""

    by_token: Tensor
    moved: float
    error: float
    steps: int


def integrated(score: Callable[[Tensor], Tensor], at: Tensor, base: Tensor, steps: int) -> Tensor:
    """Attribution of each token, (T,): (x - x0) times the mean gradient on the way from x0 to x, summed over width.

    The mean is taken by Gauss and Legendre's rule in u, where x0 + u^3 (x - x0) is the way: what divides by its input's
    size (RMSNorm) turns soonest where that is small, and embeddings whose mean is near nought begin so. Measured on
    six rows of a tiny Qwen2 of random weights, whose mean embedding is a 25th of a word's size: 299 steps on average
    until they add up within 5% on an even way, 171 so.

    Args:
        score: of a batch of inputs (N, T, width), (N,).
        at, base: x and x0, (T, width).

    Source: Sundararajan et al. 2017, arXiv 1703.01365.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    along = nodes / 2 + 0.5
    rule = (along**3, weights / 2 * 3 * along**2)
    alphas, shares = (torch.tensor(each, dtype=at.dtype, device=at.device).split(_AT_ONCE) for each in rule)
    mean = torch.zeros_like(at)
    for alpha, share in zip(alphas, shares, strict=True):
        points = (base + alpha[:, None, None] * (at - base)).requires_grad_()
        (gradients,) = torch.autograd.grad(score(points).sum(), points)
        mean += torch.einsum("n,ntw->tw", share, gradients)
    return ((at - base) * mean).sum(-1)


def complete(
    score: Callable[[Tensor], Tensor], at: Tensor, base: Tensor, *, steps: int, most_steps: int, enough: float
) -> Attributions:
    """`integrated` with twice as many steps until the attributions add up to what the score moves by.

    The error is |sum - (F(x) - F(x0))| / |F(x) - F(x0)|; what comes after the last doubling is returned as it is.
    """
    with torch.no_grad():
        low, high = score(torch.stack([base, at])).tolist()
    moved = high - low
    while True:
        found = integrated(score, at, base, steps)
        error = abs(float(found.sum()) - moved) / max(abs(moved), _LEAST)
        if error <= enough or 2 * steps > most_steps:
            return Attributions(found, moved, error, steps)
        steps *= 2
