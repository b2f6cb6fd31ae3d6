"""What a night would do and what of it is there already; nothing is made or written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from nightschool.chunks import Manifest
from nightschool.forecast import Forecast, forecast
from tasks.night import Night
from tasks.reuse import Verdict, reuse
from tasks.steps import STEPS


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase ahead. Requests and tokens are upper bounds; `seconds` is the estimate for what is missing.

    `seconds` is None where this store has never measured the phase: no night, no rate.
    """

    verdict: Verdict
    requests: int
    tokens: int
    seconds: float | None


def plan_night(night: Night) -> list[PhasePlan]:
    """Every phase of the night in order, with what of it is there already."""
    return [_plan(night, ahead, one) for ahead, one in zip(forecast(night.recipe), reuse(night), strict=True)]


def _plan(night: Night, ahead: Forecast, verdict: Verdict) -> PhasePlan:
    missing = 1 - verdict.whole / max(1, verdict.chunks)
    return PhasePlan(
        verdict=verdict,
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
