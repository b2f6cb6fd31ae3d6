"""From a tuning's fields and trials to overrides, an order of trials, and a profile of the best values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist, median
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from nightschool.identity import key
from nightschool.readings import reading
from nightschool.recipe.gate import OF_COMMITTEE, Gate
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.source import Tree, child
from nightschool.recipe.tune import Span, Tune, Value
from nightschool.report.figures import Report
from nightschool.report.proof import Estimate

RULES_VERSION = 1
State = Literal["running", "complete", "pruned", "failed"]
# Trials choose by other questions than those that prove the student; no gate is asked of them, nothing is packed or
# given up, and nobody is told.
ALWAYS = ("gates=[]", "package=null", "notify=[]", "validate.side=validation", "window=null", "fallbacks=[]")


Curve = tuple[tuple[float, float], ...]


class Scored(BaseModel):
    """What a night came to under the metric of a search: the value with its interval and n, and what guessing reaches
    on the same questions where the metric is a share of right answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    baselines: dict[str, Estimate] = {}


class Trial(BaseModel):
    """One trial: values by field, what its rungs and it itself came to, and why it ended where it is not complete.

    `looks`: by stage, what its held-back rows came to after so many epochs, where the recipe looks at any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    night: str
    state: State
    values: dict[str, Value]
    rungs: tuple[Scored, ...] = ()
    score: Scored | None = None
    seconds: float | None = None
    looks: dict[str, Curve] = {}
    why: str = ""


class Tuned(BaseModel):
    """A tuning as it stands on file. `best` is the number of the best trial, `sets` its values for --set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    recipe: str
    metric: str
    stage: str | None
    upwards: bool
    wanted: int
    trials: tuple[Trial, ...]
    best: int | None = None
    sets: tuple[str, ...] = ()
    profile: str = ""


def study_key(recipe: Recipe, how: Tune) -> str:
    """A name for all that decides what a trial comes to: trials of another recipe or search are no guide."""
    found, night = how.identity(), recipe.identity()
    del found["trials"], night["gates"], night["package"]
    return key("tune", RULES_VERSION, {"recipe": night, "how": found})


def overrides(values: Mapping[str, Any]) -> list[str]:
    """Values by field as `--set` has them."""
    return [f"{name}={json.dumps(value)}" for name, value in values.items()]


def corners(how: Tune) -> Iterator[dict[str, Value]]:
    """Values that reach every end of every range and every choice: what the recipe must take before a trial runs."""
    ends = {name: _ends(span) for name, span in how.fields.items()}
    first = {name: values[0] for name, values in ends.items()}
    yield first
    for name, values in ends.items():
        yield from ({**first, name: value} for value in values[1:])


def _ends(span: Span | tuple[Value, ...]) -> tuple[Value, ...]:
    if isinstance(span, tuple):
        return span
    return (int(span.low), int(span.high)) if span.whole else (span.low, span.high)


def score(how: Tune, report: Report) -> Scored | None:
    """The metric of a night; of the last stage if the one that is named was not reached. None: it was not measured."""
    names = [stage.name for stage in report.stages]
    stage = how.stage if how.stage in names else (names[-1] if names else None)
    if how.metric in OF_COMMITTEE:
        stage = None
    elif stage is None:
        return None
    found = reading(Gate.model_construct(name="tune", metric=how.metric, stage=stage, at_least=0.0), report)
    if found.value is None:
        return None
    guessed = report.baselines if how.metric == "accuracy" else {}
    if how.metric == "vote_accuracy" and (by := report.committee or report.votes):
        guessed = by.baselines
    return Scored(value=found.value, low=found.low, high=found.high, n=found.n, baselines=guessed)


def curves(report: Report) -> dict[str, Curve]:
    """What the held-back rows of each stage came to, by epoch, under the metric that its step was chosen by."""
    found = {
        stage: [(look.epoch, getattr(look, one.metric)) for look in one.looks]
        for stage, one in report.evaluated.items()
    }
    return {stage: tuple((epoch, value) for epoch, value in each if value is not None) for stage, each in found.items()}


def bar(others: Sequence[Curve], epoch: float, *, upwards: bool, least: int) -> float | None:
    """What a trial's best look has to reach by an epoch: the median of what the others had reached by then.

    Args:
        others: of trials that are complete.
        least: trials without which none is held to any bar.

    Source: Golovin et al. 2017, "Google Vizier", median stopping.
    """
    reached = [[value for at, value in curve if at <= epoch] for curve in others]
    known = [(max if upwards else min)(values) for values in reached if values]
    return median(known) if known and len(known) >= least else None


def best(trials: Sequence[Trial], *, upwards: bool) -> Trial | None:
    """The complete trial with the best score, the earlier one of equals."""
    done = [(trial.score.value, trial) for trial in trials if trial.state == "complete" and trial.score]
    sign = -1 if upwards else 1
    return min(done, key=lambda one: (sign * one[0], one[1].number), default=(0.0, None))[1]


def luck(trials: Sequence[Trial], top: Trial) -> tuple[int, float | None]:
    """How many trials the best one was chosen from, and how far above their mean it would come out by luck alone if all
    were equally good: at most, for they are asked the same questions. None without an interval, or for one trial.

    Source: Blom 1958, "Statistical Estimates and Transformed Beta-Variables": the expected largest of k normals.
    """
    looks = sum(trial.state == "complete" for trial in trials)
    found = top.score
    if found is None or found.low is None or found.high is None or looks < 2:
        return looks, None
    normal = NormalDist()
    error = (found.high - found.low) / (2 * normal.inv_cdf(0.975))
    return looks, error * normal.inv_cdf((looks - 0.375) / (looks + 0.25))


def twin(trials: Sequence[Trial], values: Mapping[str, Value]) -> Trial | None:
    """A trial that came to a score with these very values."""
    return next((one for one in trials if one.state == "complete" and one.values == dict(values)), None)


def profile(tree: Tree, values: Mapping[str, Value]) -> dict[str, Any]:
    """The values as a partial recipe; where a path leads into a list, the whole list goes with it.

    Args:
        tree: the recipe with these values in it.
    """
    found: dict[str, Any] = {}
    for name in values:
        _copy(tree.data, name.split("."), found)
    return found


def _copy(data: object, names: Sequence[str], into: dict[str, Any]) -> None:
    name, rest = names[0], names[1:]
    inner = child(data, name)
    if not rest or not isinstance(inner, dict):
        into[name] = inner
    else:
        _copy(inner, rest, into.setdefault(name, {}))
