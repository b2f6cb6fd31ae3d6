"""The shape of a comparison of two nights: every figure that differs, and nothing that is not a figure."""

from __future__ import annotations

from datetime import datetime

from nightschool.recipe.differences import Difference
from nightschool.report.proof import Estimate, Figure, Gain, GateResult
from nightschool.report.stage import Latency


class Side(Figure):
    """One of the two nights."""

    night: str
    started: datetime
    verdict: str


class Around(Figure):
    """What was not the recipe's to say, such as a version; None where one night lacks it."""

    name: str
    before: str | None
    after: str | None


class Step(Figure):
    """Rows left after a step, and dropped in it by reason, in both nights; None where one has no such step."""

    step: str
    before: int | None
    after: int | None
    dropped: dict[str, tuple[int, int]] = {}


class ShareChange(Figure):
    """A share in both nights, of the rows on which they are compared, and the difference."""

    before: Estimate
    after: Estimate
    gain: Gain


class StageChange(Figure):
    """A stage of the second night over the first night's, and whether it was held against it `on` the same questions.

    stage: its name in the second night; over: in the first. on: in words, which rows, or why they are not paired.
    right, readable: shares of the answers.
    """

    stage: str
    over: str
    right: ShareChange
    readable: ShareChange
    paired: bool
    on: str

    @property
    def name(self) -> str:
        """Under which a reader knows it: "dpo", or "second over dpo" where the nights name it otherwise."""
        return self.stage if self.stage == self.over else f"{self.stage} over {self.over}"


class GateChange(Figure):
    """A gate in both nights; None where one has no gate of that name."""

    name: str
    before: GateResult | None
    after: GateResult | None

    @property
    def turned(self) -> int:
        """1 if it holds in the second night alone, -1 in the first alone, where both have it; else 0."""
        return self.after.passed - self.before.passed if self.before and self.after else 0


class TimeChange(Figure):
    """Seconds of a phase in both nights; `cached`: the nights in which finished chunks were used again."""

    phase: str
    before: float | None
    after: float | None
    cached: tuple[str, ...] = ()


class Seconds(Figure):
    """Mean seconds an answer, asked one at a time, of both nights' last stages; the difference has its 95% interval.

    `sides`: the times of each, with its own interval and number of answers.
    """

    before: float
    after: float
    value: float
    low: float
    high: float
    sides: tuple[Latency, Latency] | None = None


class Comparison(Figure):
    """The second night beside the first; every difference is second minus first. `baselines`: what guessing reaches on
    the held-out questions of each night, `first` and `second`."""

    first: Side
    second: Side
    recipe: tuple[Difference, ...]
    around: tuple[Around, ...]
    funnel: tuple[Step, ...]
    stages: tuple[StageChange, ...]
    alone: dict[str, tuple[str, ...]]
    gates: tuple[GateChange, ...]
    times: tuple[TimeChange, ...]
    latency: Seconds | None = None
    baselines: dict[str, dict[str, Estimate]] = {}
    counts: dict[str, tuple[float, float]] = {}
