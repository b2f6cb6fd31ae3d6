"""A signal to stop is obeyed at the end of a step once training goes on, by all processes, and at once before that."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nightschool.training.together import most_of

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping(TrainerCallback):
    """Takes the signals over while a trainer trains; a second one ends the process at once."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._before: dict[int, Any] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        number = most_of(self.number or 0, args.device)
        self.number = number or None
        control.should_training_stop |= self.number is not None

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def leave(self) -> None:
        """Ends the process if a signal came.

        Raises:
            SystemExit: with 128 and the signal's number.
        """
        if self.number is not None:
            raise SystemExit(128 + self.number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None:
            raise SystemExit(128 + number)
        self.number = number
