"""When a stage is looked at on held-back rows, which step is the best so far, and whether more is worth its time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nightschool.recipe.evaluate import Evaluate


class Best(TrainerCallback):
    """The best step so far, and how many looks ago that was.

    A step that is better is saved as a checkpoint, which stays until a better one is whole; so what is chosen is the
    same after any end.

    Args:
        trainer: a Watched one.
    """

    def __init__(self, trainer: Any, how: Evaluate) -> None:
        self._trainer, self._how = trainer, how
        self.step: int | None = None
        self.value: float | None = None
        self.waited = 0
        self.stopped = False

    def keep(self) -> dict[str, Any]:
        """What `restore` takes back."""
        return {"step": self.step, "value": self.value, "waited": self.waited}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on as before."""
        self.step, self.value, self.waited = kept["step"], kept["value"], kept["waited"]

    def told(self) -> dict[str, Any]:
        """The best so far, for whoever watches."""
        return {"best": self.step, "reached": self.value, "upwards": self._how.upwards}

    def load(self) -> int:
        """Give the trainer the weights of the best step, if they are to be left; the step whose weights it has."""
        state = self._trainer.state
        if not self._how.load_best_model_at_end or self.step in (None, state.global_step):
            return int(state.global_step)
        state.best_model_checkpoint = _folder(self._trainer.args, self.step)
        self._trainer._load_best_model()  # transformers' own, which knows every way of laying weights out
        return self.step

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        share = self._how.eval_steps
        self._every = math.ceil(share * state.max_steps) if share < 1 else int(share)
        self._protect(args, state)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        control.should_evaluate = state.global_step % self._every == 0 or state.global_step == state.max_steps

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: Any = None, **kwargs: Any
    ) -> None:
        value = metrics[f"eval_{self._how.metric_for_best_model}"]
        # A step that may be the first of an explosion is not saved, so it cannot be the best either.
        if self._better(value) and not self._trainer.explosion.doubtful:
            self.step, self.value, self.waited = state.global_step, value, 0
            control.should_save |= self._how.load_best_model_at_end and state.global_step < state.max_steps
            return
        self.waited += 1
        patience = self._how.early_stopping_patience
        if patience and self.waited >= patience and state.global_step < state.max_steps:
            self.stopped = control.should_training_stop = True
            control.should_save = False  # who went on from here would go on past the end

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._protect(args, state)  # comes after the mark: only now is the better one whole

    def _better(self, value: float) -> bool:
        if not math.isfinite(value) or self.value is None:
            return math.isfinite(value)
        gain = value - self.value if self._how.upwards else self.value - value
        return gain > self._how.early_stopping_threshold

    def _protect(self, args: TrainingArguments, state: TrainerState) -> None:
        """The trainer removes old checkpoints, but this one."""
        if self._how.load_best_model_at_end and self.step is not None:
            state.best_model_checkpoint = _folder(args, self.step)


def _folder(args: TrainingArguments, step: int) -> str:
    return str(Path(str(args.output_dir)) / f"checkpoint-{step}")
