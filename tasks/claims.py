"""A plan's claims beside what this store has measured; nothing is made or written."""

from __future__ import annotations

from nightschool.claims import Claims, Held, hold
from nightschool.estimate import outlook
from nightschool.forecast import forecast
from tasks.ledger import Run
from tasks.night import Night
from tasks.outlook import evening, evenings


def held_claims(night: Night, found: Claims, profile: str | None) -> list[Held]:
    """Every claim beside the arithmetic of the whole night, whatever of it is there already."""
    phases = list(forecast(night.recipe))
    now = evening(night.name, night.recipe, night.engines, Run(started="1970-01-01T00:00:00+00:00"))
    ahead = outlook({one.phase: one.units for one in phases}, now, evenings(night))
    measured = {one.phase: (one.seconds, one.basis) for one in ahead.phases if one.basis}
    return hold(found, profile.split(",") if profile else (), phases, measured)
