"""Recipe section of tuning: which fields are tried in what range, and what says which trial is best."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nightschool.recipe.gate import OF_COMMITTEE, Metric
from nightschool.recipe.section import Clash, Name, Positive, Section

FieldName = Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z0-9_]+)*$")]
Value = bool | int | float | str | None


# What says which rows prove a student; a trial that moved them would be chosen by them.
_PROOF = ("splits", "gates", "validate.side")


class Span(Section):
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = Field(default=False, description="drawn evenly over powers, as for learning rates")
    whole: bool = Field(default=False, description="whole numbers only")

    @model_validator(mode="after")
    def _some_numbers(self) -> Span:
        if not self.low < self.high:
            raise Clash("high is not above low", "high", allowed=f"more than {self.low:g}")
        if self.log and self.low <= 0:
            raise Clash("no power reaches zero", "low", allowed="more than 0, or log: false")
        if self.whole and not (self.low.is_integer() and self.high.is_integer()):
            raise Clash("whole numbers lie between whole numbers", "low")
        return self


class Tune(Section):
    """A search over fields of the recipe; each trial is a night of its own.

    Source: plan 003, "Automated hyperparameter tuning".
    """

    fields: dict[FieldName, Span | Annotated[tuple[Value, ...], Field(min_length=2)]] = Field(
        min_length=1, description="by path, as for --set: a range of numbers, or a list of values"
    )
    trials: Positive = Field(default=20, description="in all; those that were pruned or failed count")
    metric: Metric = "accuracy"
    stage: Name | None = Field(default=None, description="whose figure; the last one's that is measured if left out")
    direction: Literal["maximize", "minimize"] | None = Field(
        default=None, description="minimize by default for seconds and skews, else maximize"
    )
    sampler: Literal["tpe", "random", "grid"] = Field(
        default="tpe", description="tpe learns from the trials so far; grid tries every combination of lists"
    )
    pruner: Literal["none", "median", "halving"] = Field(
        default="median",
        description="ends a trial after a rung: below the median so far, or not among the best half; median also at "
        "a look of evaluate",
    )
    warm_up: int = Field(default=4, ge=0, description="trials that are never pruned, by the median")
    rungs: tuple[dict[FieldName, Any], ...] = Field(
        default=(), description="cheaper forms of the night, walked first: fields to set, null leaves a section out"
    )
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _can_be_searched(self) -> Tune:
        if self.metric == "accuracy_gain":
            raise Clash("a gain is over a stage that changes with the trial", "metric", allowed="accuracy")
        if self.metric in OF_COMMITTEE and self.stage:
            raise Clash(f"{self.metric} is of no stage", "stage")
        _leaves_the_proof_alone(self.fields, self.rungs)
        spans = [name for name, values in self.fields.items() if isinstance(values, Span)]
        if self.sampler == "grid" and spans:
            raise Clash("a grid is of lists of values", "fields", spans[0], allowed="[...], or another sampler")
        return self

    @property
    def upwards(self) -> bool:
        """Whether more is better."""
        if self.direction:
            return self.direction == "maximize"
        return not self.metric.endswith(("_s", "skew", "late"))

    @property
    def count(self) -> int:
        """How many trials; a grid has no more than combinations."""
        if self.sampler != "grid":
            return self.trials
        return min(self.trials, math.prod(len(each) for each in self.fields.values() if isinstance(each, tuple)))


def _leaves_the_proof_alone(fields: Iterable[str], rungs: Iterable[Iterable[str]]) -> None:
    """Refuse to choose by the test side: by asking it, or by drawing it anew for each trial.

    Raises:
        Clash: names the field.
    """
    for where, names in (("fields", fields), *(("rungs", rung) for rung in rungs)):
        for name in names:
            if name == "validate" or f"{name}.".startswith(tuple(f"{part}." for part in _PROOF)):
                message = f"{name} says which rows prove the student, and is not to be chosen by"
                raise Clash(message, where, allowed="other fields; trials are measured on the validation side")
