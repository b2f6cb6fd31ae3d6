"""A trainer that knows its rows, and is stopped by the first number that is none."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import PrinterCallback, Trainer

from nightschool.errors import DataError
from nightschool.training.rows import TrainingRow

ROW = "row"


class Watched(Trainer):
    """Knows which rows a step is made of, and stops at a loss or gradient that is not finite.

    `ids`, `weights` and `lines` are of the rows that are trained on, in file order; `file` is where they stand.
    """

    ids: Sequence[str]
    weights: Sequence[float]
    lines: Sequence[int]
    file: str
    _total_train_tokens: int

    def watch(self, rows: Sequence[TrainingRow], lines: Sequence[int], file: str) -> None:
        """Begin to look: called once, before training."""
        self.ids, self.weights = [row.id for row in rows], [row.weight for row in rows]
        self.lines, self.file = lines, file
        self.weighted = set(self.weights) != {1.0}
        self._rows: list[int] = []
        self._recent: deque[list[int]] = deque(maxlen=self.args.gradient_accumulation_steps)
        self.data_collator = _with_rows(self.data_collator)
        self.remove_callback(PrinterCallback)

    def keep(self) -> dict[str, Any]:
        """What a checkpoint holds beside what Trainer puts there; `restore` takes it back."""
        return {"tokens": self._total_train_tokens}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on as the trainer that was saved."""
        self._total_train_tokens = kept["tokens"]

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        self._rows = rows = inputs.pop(ROW).tolist()
        self._recent.append(rows)
        loss = super().training_step(model, inputs, *args, **kwargs)
        if not torch.isfinite(loss):
            self._stop(f"loss is {loss.item()}", rows)
        return loss

    def weights_of_batch(self, like: torch.Tensor) -> torch.Tensor:
        """Weights of the rows that the present step is made of."""
        return torch.tensor([self.weights[row] for row in self._rows], dtype=like.dtype, device=like.device)

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        norm = logs.get("grad_norm", 0.0)
        if not math.isfinite(norm):
            self._stop(f"gradient norm is {norm}", [row for rows in self._recent for row in rows])
        super().log(logs, *args, **kwargs)

    def _stop(self, what: str, rows: list[int]) -> None:
        named = ", ".join(f"{self.ids[row]} (line {self.lines[row]})" for row in rows)
        raise DataError(f"{what} at step {self.state.global_step + 1}, made of rows {named}", file=self.file)


def _with_rows(collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> Any:
    def collated(examples: list[dict[str, Any]]) -> dict[str, Any]:
        return {**collate(examples), ROW: torch.tensor([example[ROW] for example in examples])}

    return collated
