"""From a stage's looks at held-back rows to the sentence and the curve that say which step was left, and why."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict

from nightschool.report.proof import Figure
from nightschool.report.text import plain

# A loss that diverged is shown as a gap, never as a number.
Logged = Annotated[
    float | None,
    BeforeValidator(lambda value: None if isinstance(value, float) and not math.isfinite(value) else value),
]

_SHARES = ("accuracy", "reward_accuracy")


class Look(Figure):
    """What the held-back rows came to after a step; what is measured beside these is left out."""

    model_config = ConfigDict(extra="ignore")

    step: int
    epoch: float = 0.0
    loss: Logged = None
    mean_token_accuracy: Logged = None
    reward_accuracy: Logged = None
    reward_margin: Logged = None
    accuracy: Logged = None


class Evaluated(Figure):
    """A stage's looks at `rows` held-back rows; `chosen` is the step that was left, `last` the last one trained.

    best: whether the best one was to be left; early: whether the stage ended before its last step.
    """

    rows: int
    metric: str
    looks: tuple[Look, ...]
    chosen: int
    last: int
    best: bool
    early: bool = False

    @property
    def told(self) -> str:
        """Which step is left, and why, in a sentence."""
        value = next((getattr(look, self.metric) for look in self.looks if look.step == self.chosen), None)
        reached = "" if value is None else f" ({value:.4g}{self._sure(value)})"
        by = f"{plain(self.metric)} on {self.rows:,} held-back row{'' if self.rows == 1 else 's'}"
        why = f"best of {len(self.looks)} by {by}" if self.best else f"the last one; {by} was watched"
        ended = "; no later one was better, so it ended early" if self.early else ""
        return f"step {self.chosen:,} of {self.last:,} kept, {why}{reached}{ended}"

    def _sure(self, value: float) -> str:
        """Of a share of rows its interval; of a loss there is none."""
        if self.metric not in _SHARES or not self.rows:
            return ""
        from nightschool.statistics import wilson  # scipy, which the command line needs not to start

        low, high = wilson(value * self.rows, self.rows)
        return f", 95% interval {low:.3g} to {high:.3g}"
