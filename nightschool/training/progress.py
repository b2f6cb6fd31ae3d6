"""From TRL's log records to one JSON line per step on stdout, and the list of steps for the record."""

from __future__ import annotations

import time
from typing import Any, TextIO

import orjson
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nightschool.training.best import Best
from nightschool.training.process import rss_bytes
from nightschool.training.record import Evaluation, Step

# ours: TRL's, which are there according to the stage
FIELDS = {
    "mean_token_accuracy": "mean_token_accuracy",
    "entropy": "entropy",
    "reward_accuracy": "rewards/accuracies",
    "reward_margin": "rewards/margins",
    "logps_chosen": "logps/chosen",
    "logps_rejected": "logps/rejected",
}


class Progress(TrainerCallback):
    """Keeps every step and tells of it.

    Args:
        out: where the lines go.
        best: what is told of held-back rows.
    """

    def __init__(self, out: TextIO, best: Best | None) -> None:
        self.steps: list[Step] = []
        self.evaluations: list[Evaluation] = []
        self._best = best
        self.tokens = 0
        self._out = out
        self._started = 0.0
        self._began_at = 0
        self._new_tokens = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._started, self._began_at = time.perf_counter(), state.global_step
        self.steps = [_step(int(entry["step"]), entry) for entry in state.log_history if "loss" in entry]
        self.evaluations = [_look(int(entry["step"]), entry) for entry in state.log_history if "eval_loss" in entry]

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        logs: dict[str, float] = kwargs["logs"]
        if "eval_loss" in logs:
            self.evaluations.append(_look(state.global_step, logs))
        if "loss" not in logs:  # a look, or the summary after the last step
            return
        step = _step(state.global_step, logs)
        self.steps.append(step)
        before, self.tokens = self.tokens, int(logs["num_tokens"])
        self._new_tokens += self.tokens - before if before or not self._began_at else 0
        elapsed, done = time.perf_counter() - self._started, step.step - self._began_at
        line = {
            "step": step.step,
            "steps": state.max_steps,
            "loss": step.loss,
            "tokens_per_s": round(self._new_tokens / elapsed, 1),
            "eta_s": round(elapsed / done * (state.max_steps - step.step), 1),
            "rss_bytes": rss_bytes(),
            "device_bytes": torch.cuda.memory_reserved() if args.device.type == "cuda" else 0,
        }
        if self.evaluations and self._best:
            line["held"] = self._best.told() | self.evaluations[-1].model_dump(include={"epoch", "loss"})
        if not state.is_world_process_zero:
            return
        self._out.write(orjson.dumps(line).decode() + "\n")
        self._out.flush()


def _step(number: int, logs: dict[str, float]) -> Step:
    return Step(
        step=number,
        epoch=logs["epoch"],
        loss=logs["loss"],
        learning_rate=logs["learning_rate"],
        grad_norm=logs["grad_norm"],
        **{ours: logs.get(theirs) for ours, theirs in FIELDS.items()},
    )


def _look(number: int, logs: dict[str, float]) -> Evaluation:
    figures = {name.removeprefix("eval_"): value for name, value in logs.items() if name.startswith("eval_")}
    return Evaluation(step=number, epoch=logs["epoch"], **figures)
