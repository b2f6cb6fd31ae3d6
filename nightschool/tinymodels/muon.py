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


class Muon:
    """Muon with Nesterov momentum for matrices; equal shapes are stacked, so that a step is a few large products.

    torch.optim.Muon works in bfloat16, which CPUs without that unit emulate many times slower.
    """

    def __init__(self, matrices: Iterable[Tensor], *, momentum: float = 0.95) -> None:
        by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for matrix in matrices:
            by_shape[matrix.shape].append(matrix)
        self._stacks = [(same, torch.zeros(len(same), *shape)) for shape, same in by_shape.items()]
        self._momentum = momentum

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Take one step from the gradients, then forget them; `lr` is the step's size in every direction."""
        for same, average_N_R_C in self._stacks:
            gradients = torch.stack([matrix.grad for matrix in same if matrix.grad is not None])
            average_N_R_C.lerp_(gradients, 1 - self._momentum)
            updates = orthogonalise(gradients.lerp(average_N_R_C, self._momentum))
            rows, columns = same[0].shape
            for matrix, update in zip(same, updates, strict=True):
                matrix.add_(update, alpha=-lr * max(1.0, rows / columns) ** 0.5)
                matrix.grad = None
