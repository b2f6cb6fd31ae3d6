"""What a night would do and what of it is there already; nothing is made or written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from nightschool.chunks import Manifest
from nightschool.forecast import Forecast, forecast
from nightschool.recipe.recipe import Recipe
from tasks.night import Night
from tasks.steps import STEPS


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase ahead. Requests and tokens are upper bounds; `seconds` is the estimate for what is missing.

    `seconds` is None where this store has never measured the phase: no night, no rate.
    """

    phase: str
    chunks: int
    cached: int
    requests: int
    tokens: int
    seconds: float | None


def plan_night(recipe: Recipe, name: str | None = None) -> list[PhasePlan]:
    """Every phase of the recipe in order, with the chunks that are whole already."""
    night = Night.plan(recipe, name)
    return [_plan(night, ahead) for ahead in forecast(recipe)]


def _plan(night: Night, ahead: Forecast) -> PhasePlan:
    chunks = STEPS[ahead.phase].chunks(night)
    cached = len(night.made(chunks))
    total = len(chunks) if cached else ahead.chunks
    missing = 1 - cached / max(1, total)
    return PhasePlan(
        phase=ahead.phase,
        chunks=total,
        cached=cached,
        requests=round(ahead.requests * missing),
        tokens=round(ahead.tokens * missing),
        seconds=0.0 if not missing else _estimate(night, ahead, missing),
    )


def _estimate(night: Night, ahead: Forecast, missing: float) -> float | None:
    """Seconds, from what the same phase took in earlier nights of this store: per request, else per chunk."""
    past = list(_past(night, ahead.phase))
    seconds = sum(float(manifest.figures.get("seconds", 0)) for manifest in past)
    requests = sum(int(manifest.figures.get("requests", 0)) for manifest in past)
    if not past:
        return None
    at_once = STEPS[ahead.phase].at_once(night)
    if requests:
        return seconds / requests * ahead.requests * missing / at_once
    return seconds / len(past) * ahead.chunks * missing / at_once


def _past(night: Night, phase: str) -> Iterator[Manifest]:
    for path in sorted((night.store.root / phase).glob("*/chunk-*.manifest.json"))[:1000]:
        try:
            yield Manifest.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
