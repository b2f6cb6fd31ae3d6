"""Losses of preference pairs: DPO, and two readings each of Cal-DPO and Dr. DPO, named apart."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from nightschool.recipe.preference import Preference


def pair_losses(chosen_B: Tensor, rejected_B: Tensor, how: Preference, *, centre: Tensor | float) -> Tensor:
    """The DPO term of each pair.

    With h = chosen - rejected: `none` is -log sigmoid(beta h); `center` is -log sigmoid(beta (h - centre)), plan 002's
    own words; `paper` is -log sigmoid(h), without a beta, as the authors' code has it.

    Args:
        chosen_B, rejected_B: log pi(y|x) - log pi_ref(y|x), summed over a completion, in nats.
        centre: for `center`, a mean of h over pairs; never differentiated.

    Source: arXiv 2305.18290, eq. 7; arXiv 2412.14516; plan 002, Phase C.
    """
    gap_B = chosen_B - rejected_B
    if how.cal == "paper":
        return -logsigmoid(gap_B)
    if how.cal == "center":
        gap_B = gap_B - (centre.detach() if isinstance(centre, Tensor) else centre)
    return -logsigmoid(how.beta * gap_B)


def calibration(chosen_B: Tensor, rejected_B: Tensor, *, beta: float) -> Tensor:
    """Cal-DPO's squared term of each pair: (chosen - 1/(2 beta))^2 + (rejected + 1/(2 beta))^2.

    Source: arXiv 2412.14516; it pins rewards to 1/2 and -1/2, where DPO knows only their difference.
    """
    target = 1 / (2 * beta)
    return (chosen_B - target) ** 2 + (rejected_B + target) ** 2


def alone(values_B: Tensor) -> Tensor:
    """What one process gathers from all."""
    return values_B


def over_batch(
    losses_B: Tensor,
    weights_B: Tensor,
    *,
    robust_beta: float | None,
    gather: Callable[[Tensor], Tensor] = alone,
) -> Tensor:
    """One loss for a batch: the mean, or Dr. DPO's -beta' log mean exp(-loss/beta'), which counts odd pairs less.

    Dropped pairs are in neither mean. In the plain one a weight makes a pair's own loss larger; in the other it stands
    for as many pairs.

    Args:
        losses_B: the DPO term alone: with Cal-DPO's squares in it, one pair of 64 would take all the weight.
        weights_B: of each pair, 0 for one that was dropped; a batch of nothing else has loss 0 and no gradient.
        robust_beta: beta'; None is the plain mean, and so is beta' without end.
        gather: from all processes that hold a part of the batch. The mean over processes of what they return, and of
            its gradients, is the batch's own.

    Source: arXiv 2407.07880, eq. 9, over the batch that all processes hold at a time.
    """
    weights_G = gather(weights_B)
    kept = int((weights_G > 0).sum())
    parts = len(weights_G) // len(weights_B)
    if robust_beta is None or not kept:
        return (losses_B * weights_B).sum() * (parts / max(kept, 1))
    # log 0 = -inf takes a dropped pair out of the sum.
    odds_B = -losses_B / robust_beta + weights_B.log()
    whole = weights_G.sum().log()
    if parts == 1:
        return -robust_beta * (torch.logsumexp(odds_B, dim=0) - whole)
    total = torch.logsumexp(gather(odds_B.detach()), dim=0)
    mine = ((odds_B.detach() - total).exp() * losses_B).sum() * parts
    return mine - mine.detach() - robust_beta * (total - whole)


def preference_loss(
    chosen_B: Tensor,
    rejected_B: Tensor,
    weights_B: Tensor,
    how: Preference,
    *,
    centre: Tensor | float = 0.0,
    gather: Callable[[Tensor], Tensor] = alone,
) -> Tensor:
    """The whole loss of a batch under `how`; see `pair_losses`, `calibration` and `over_batch`."""
    robust = how.robust_beta if how.robust in ("paper", "both") else None
    loss = over_batch(
        pair_losses(chosen_B, rejected_B, how, centre=centre), weights_B, robust_beta=robust, gather=gather
    )
    if how.cal == "paper":
        squares_B = calibration(chosen_B, rejected_B, beta=how.beta)
        loss = loss + how.cal_weight * over_batch(squares_B, weights_B, robust_beta=None, gather=gather)
    return loss
