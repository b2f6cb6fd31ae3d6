"""A trainer that knows its rows, counts each once, and is stopped by the first loss that is none."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import torch
from transformers import PrinterCallback, Trainer

from nightschool.errors import DataError
from nightschool.training.best import Best
from nightschool.training.explosion import LAST, Explosion
from nightschool.training.held import look
from nightschool.training.quiz import Quiz
from nightschool.training.rows import TrainingRow

ROW = "row"
NAMED = 12  # rows in one message
TRIED = 64  # rows that are looked at one by one, to find the culprit


class Watched(Trainer, ABC):
    """Knows which rows a step is made of, and stops at a loss or gradient that is not finite or explodes.

    `ids`, `weights` and `lines` are of the rows that are trained on, in file order; `file` is where they stand; `saved`
    is the step of the last checkpoint. `best`, if there is one, says when to look at the held-back rows of
    `eval_dataset`, whose weights are `held_weights`, and to ask `quiz`.
    """

    ids: Sequence[str]
    weights: Sequence[float]
    lines: Sequence[int]
    file: str
    saved = 0
    best: Best | None = None
    held_weights: Sequence[float] = ()
    quiz: Quiz | None = None
    _total_train_tokens: int

    def watch(self, rows: Sequence[TrainingRow], lines: Sequence[int], file: str, explosion: Explosion) -> None:
        """Begin to look: called once, before training."""
        self.ids, self.weights = [row.id for row in rows], [row.weight for row in rows]
        self.lines, self.file, self.explosion = lines, file, explosion
        self.weighted = set(self.weights) != {1.0}
        self._rows: list[int] = []
        self._batches: list[list[int]] = []
        self._at = 0
        self._recent: deque[tuple[float, list[int]]] = deque(maxlen=LAST)
        self.data_collator = _with_rows(self.data_collator)
        self.remove_callback(PrinterCallback)

    @property
    def tokens(self) -> int:
        """Trained on so far, padding left out; over all processes and before a kill too."""
        return int(self._total_train_tokens)

    def keep(self) -> dict[str, Any]:
        """What a checkpoint holds beside what Trainer puts there; `restore` takes it back."""
        micro = self.args.per_device_train_batch_size
        found = {"tokens": self.tokens, "micro": micro, "explosion": self.explosion.keep()}
        return found | ({"best": self.best.keep()} if self.best else {})

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on as the trainer that was saved."""
        self._total_train_tokens = kept["tokens"]
        self.explosion.restore(kept["explosion"])
        if self.best:
            self.best.restore(kept["best"])

    @property
    def under(self) -> str:
        """What the loss is made by: values under another one do not compare."""
        return ""

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Trainer's own would be a mean over batches, and draw from the random state that training goes by."""
        model: Any = self.model_wrapped
        found = look(self)
        self.log(dict(found))
        model.train()
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, found)
        return found

    @abstractmethod
    def sums(self, model: Any, inputs: dict[str, Any], weights_B: torch.Tensor) -> torch.Tensor:
        """Of a batch, what `figures` makes figures of once it is summed over all; rows of weight 0 are in none.

        Args:
            inputs: as the collator made them, on the device.
        """

    @abstractmethod
    def figures(self, sums: torch.Tensor) -> dict[str, Any]:
        """The figures of all held-back rows, by name."""

    def held(self, rows: Sequence[int]) -> dict[str, Any]:
        """Some held-back rows as a batch on the device."""
        dataset: Any = self.eval_dataset
        batch: Any = self.data_collator([dataset[row] for row in rows])
        batch.pop(ROW)
        return self._prepare_inputs(batch)

    def get_batch_samples(self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device) -> Any:
        batches = list(islice(epoch_iterator, num_batches))
        self._batches, self._at = [], 0
        for number, batch in enumerate(batches):
            rows = batch[ROW].tolist()
            real = self._real(number, len(rows))
            self._batches.append(rows[:real] + [-1] * (len(rows) - real))
            if real < len(rows):
                self.leave_out(batch, real)
        return super().get_batch_samples(iter(batches), num_batches, device)

    def _real(self, number: int, size: int) -> int:
        """How many rows of this process's batch `number` of a step are its own.

        With several processes accelerate fills the last batches of an epoch with rows that came already.
        """
        rows, done = len(self.ids), self._done_in_epoch()
        before = (number * self.args.world_size + self.args.process_index) * self.args.per_device_train_batch_size
        return size if self.args.world_size == 1 else max(0, min(size, rows - done - before))

    def _done_in_epoch(self) -> int:
        steps = math.ceil(len(self.ids) / self.rows_per_step)
        return self.state.global_step % steps * self.rows_per_step

    @property
    def rows_per_step(self) -> int:
        """Rows that a whole step is made of, over all processes."""
        args = self.args
        return args.world_size * args.per_device_train_batch_size * args.gradient_accumulation_steps

    @property
    def rows_of_step(self) -> int:
        """Rows that the present step is made of, over all processes; fewer in the last one of an epoch."""
        return min(self.rows_per_step, len(self.ids) - self._done_in_epoch())

    @property
    def rows_here(self) -> list[int]:
        """Rows of the present step that are this process's own."""
        return [row for rows in self._batches for row in rows if row >= 0]

    def leave_out(self, batch: dict[str, Any], real: int) -> None:
        """Take rows from `real` on out of the loss."""

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        inputs.pop(ROW)
        self._rows = self._batches[self._at]
        self._at += 1
        loss = super().training_step(model, inputs, *args, **kwargs)
        if not torch.isfinite(loss):
            self._stop(f"loss is {loss.item()}", self._rows)
        return loss

    def weights_of_batch(self, like: torch.Tensor) -> torch.Tensor:
        """Weights of the rows that the present batch is made of; 0 for one that only fills it."""
        found = [self.weights[row] if row >= 0 else 0.0 for row in self._rows]
        return torch.tensor(found, dtype=like.dtype, device=like.device)

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        norm, rows = logs.get("grad_norm", 0.0), self.rows_here
        if not math.isfinite(norm):
            self._stop(f"gradient norm is {norm}", rows)
        if "grad_norm" in logs:
            self._recent.append((logs["loss"], rows))
            if self.explosion(logs["loss"], self.under):
                now, usual = self.explosion.now, self.explosion.usual
                self._stop(f"loss explodes: {now:.4g} now, {usual:.4g} at the start", max(self._recent)[1])
        super().log(logs, *args, **kwargs)

    def _stop(self, what: str, rows: list[int]) -> None:
        rows = [row for row in rows if row >= 0]
        kept = f"; checkpoint of step {self.saved} kept" if self.saved else ""
        raise DataError(
            f"{what} at step {self.state.global_step + 1}, made of rows {self._named(rows)}{self._blame(rows)}; "
            f"look at them, or lower learning_rate{kept}",
            file=self.file,
        )

    def _blame(self, rows: list[int]) -> str:
        """Which of the rows it is, each alone under the weights as they are; one process can't ask the others."""
        if self.args.world_size > 1 or len(rows) > TRIED:
            return ""
        losses = {row: self._alone(row) for row in rows}
        odd = [row for row, loss in losses.items() if not math.isfinite(loss)]
        if odd:
            whole = "for every row: the weights are spoilt" if len(odd) == len(rows) else f"for {self._named(odd)}"
            return f"; alone it is no number {whole}"
        worst = sorted(rows, key=lambda row: -losses[row])[:3]
        return f"; alone highest for {self._named(worst)}: {', '.join(f'{losses[row]:.4g}' for row in worst)}"

    def _alone(self, row: int) -> float:
        batch: Any = self.data_collator([self.train_dataset[row]])  # type: ignore[index]
        batch.pop(ROW)
        self._rows = [row]
        model: Any = self.model_wrapped
        model.eval()
        with torch.no_grad(), self.compute_loss_context_manager():
            loss: Any = self.compute_loss(model, self._prepare_inputs(batch))
        return float(loss)

    def _named(self, rows: Sequence[int]) -> str:
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        return ", ".join(f"{self.ids[row]} (line {self.lines[row]})" for row in rows[:NAMED]) + more


def _with_rows(collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> Any:
    def collated(examples: list[dict[str, Any]]) -> dict[str, Any]:
        return {**collate(examples), ROW: torch.tensor([example[ROW] for example in examples])}

    return collated
