"""From held-back rows and the weights as they are now to figures, the same however the rows are shared out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from nightschool.training.watched import Watched


def look(trainer: Watched) -> dict[str, float]:
    """The figures of all held-back rows in one, by transformers' names ("eval_loss").

    Sums over rows are taken in float64 and divided once, so that neither the size of a batch nor the number of
    processes moves them. Nothing is drawn: training goes on as if nobody had looked.
    """
    model: Any = trainer.model_wrapped
    weights, total = trainer.held_weights, torch.zeros((), dtype=torch.float64, device=trainer.args.device)
    model.eval()
    with torch.no_grad(), trainer.compute_loss_context_manager():
        for rows, real in _shared_out(len(weights), trainer):
            weights_B = torch.tensor([weights[row] for row in rows], device=trainer.args.device)
            weights_B[real:] = 0.0
            total = total + trainer.sums(model, trainer.held(rows), weights_B).double()
        answered = {"accuracy": trainer.quiz.accuracy(trainer)} if trainer.quiz else {}
    summed: Any = trainer.accelerator.reduce(total, "sum")
    found = trainer.figures(summed) | answered
    return {f"eval_{name}": float(value) for name, value in found.items()}


def _shared_out(rows: int, trainer: Watched) -> Iterator[tuple[list[int], int]]:
    """Batches of this process, and how many rows of each are its own.

    All processes have as many batches, as large: where weights are shared out, each forward is all of theirs.
    """
    size = trainer.args.per_device_train_batch_size
    for start in range(0, rows, size * trainer.args.world_size):
        own = list(range(start, rows))[trainer.args.process_index * size :][:size]
        yield (own + [0] * (size - len(own)) if trainer.args.world_size > 1 else own), len(own)
