"""The parts of a report that come when every stage is trained, by its own names, for the report and for gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nightschool.recipe.timing import timed
from nightschool.report.figures import LatencyTimes
from nightschool.timing import Timed
from tasks import ablated, arena, quality, timing
from tasks.night import Night


def times(night: Night, alone: Sequence[Timed]) -> dict[str, Any]:
    """One by one, which `alone` are, and as a contest has it."""
    stage = night.recipe.learner and timed(night.recipe.learner)["answers"]
    latency = LatencyTimes(seconds=tuple(row.e2el_s for row in alone), stage=stage) if alone else None
    return {"latency": latency, "times": timing.figures(night)}


def drafted(night: Night) -> dict[str, Any]:
    """What drafts are worth."""
    return ablated.figures(night)


def played(night: Night) -> dict[str, Any]:
    """The arena, and what judges say of its questions."""
    return {"arena": arena.measured(night), "quality": quality.measured(night)}
