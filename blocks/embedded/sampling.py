"""From logits to tokens, the same whatever else is in the batch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


def uniforms(seed: int, index: int, length: int) -> NDArray[np.float64]:
    """The random numbers of one sample, [2, length]: a first and a second draw in [0, 1) for each position.

    A counter-based generator (Philox) gives each (seed of the request, index of the sample) its own stream, so that a
    row draws the same numbers alone and in a full batch.
    """
    key = np.array([seed & 0xFFFF_FFFF_FFFF_FFFF, index], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).random((length, 2)).T


def _nucleus(probs_B_V: torch.Tensor, top_p_B: torch.Tensor) -> torch.Tensor:
    """Zero all but the smallest set of tokens whose probability reaches top_p; the likeliest one always stays."""
    ranked, order = probs_B_V.sort(dim=-1, descending=True)
    before = ranked.cumsum(dim=-1) - ranked
    ranked = ranked.masked_fill(before >= top_p_B[:, None], 0.0)
    return torch.zeros_like(probs_B_V).scatter_(1, order, ranked)


def choose(
    logits_B_V: torch.Tensor, temperature_B: torch.Tensor, top_p_B: torch.Tensor, uniform_B: torch.Tensor
) -> torch.Tensor:
    """One token per row: the likeliest at temperature 0, else the inverse of the cumulative probability at `uniform`.

    Logits of -inf are never chosen. Two batches may differ in the last bit of a logit, so a draw that falls within
    about 1e-6 of a boundary between two tokens may fall on either side.
    """
    greedy_B = logits_B_V.argmax(dim=-1)
    drawn_B = temperature_B > 0
    if not bool(drawn_B.any()):
        return greedy_B
    scale_B = torch.where(drawn_B, temperature_B, torch.ones_like(temperature_B))
    probs_B_V = torch.softmax(logits_B_V / scale_B[:, None], dim=-1)
    if bool((top_p_B < 1).any()):
        probs_B_V = _nucleus(probs_B_V, top_p_B)
    cumulative_B_V = probs_B_V.cumsum(dim=-1, dtype=torch.float64)
    target_B = uniform_B.double() * cumulative_B_V[:, -1]
    sampled_B = torch.searchsorted(cumulative_B_V, target_B[:, None], right=True)[:, 0]
    return torch.where(drawn_B, sampled_B, greedy_B)
