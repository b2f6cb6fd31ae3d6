"""Muon in 32 bits: steps of equal size in every direction of a weight matrix."""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalise(batch_N_R_C: Tensor, *, steps: int = 5) -> Tensor:
    """Bring every singular value of each matrix near to one, keeping its singular vectors.

    Source: Keller Jordan, "Muon: an optimizer for hidden layers" (quintic Newton-Schulz iteration and coefficients).
    """
    a, b, c = NEWTON_SCHULZ
    x = batch_N_R_C
    tall = x.size(1) > x.size(2)
    if tall:
        x = x.transpose(1, 2)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + torch.baddbmm(b * gram, gram, gram, alpha=c) @ x
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum for matrices; equal shapes are stacked, so that a step is a few large products.

    torch.optim.Muon works in bfloat16, which CPUs without that unit emulate many times slower.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, *, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Take one step from the gradients that are there."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for shape, same in by_shape.items():
                self._step_stack(same, shape, group["lr"], group["momentum"])

    def _step_stack(self, same: list[Tensor], shape: torch.Size, lr: float, momentum: float) -> None:
        gradients = torch.stack([parameter.grad for parameter in same if parameter.grad is not None])
        state = self.state[same[0]]
        average = state.setdefault("average", torch.zeros_like(gradients))
        average.lerp_(gradients, 1 - momentum)
        updates = orthogonalise(gradients.lerp(average, momentum))
        size = lr * max(1.0, shape[0] / shape[1]) ** 0.5
        for parameter, update in zip(same, updates, strict=True):
            parameter.add_(update, alpha=-size)
