"""From what a plan says of its own time to that beside the arithmetic: by the plan's numbers, and by this night's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from nightschool.forecast import Forecast
from nightschool.recipe.explain import explain
from nightschool.recipe.section import Clash, Section
from nightschool.recipe.source import read_tree

_HOUR_S = 3600.0

Unit = Literal["tokens", "requests", "rows", "problems"]


def _both_ends(value: Any) -> Any:
    # As JSON has it, a tuple is a list; strictly it is none.
    return tuple(value) if isinstance(value, list) else (value, value) if isinstance(value, (int, float)) else value


def _in_order(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise Clash("the least comes first", allowed="[least, most]")
    return value


Amount = Annotated[float, Field(gt=0)]
# One number stands for both ends.
Span = Annotated[tuple[Amount, Amount], BeforeValidator(_both_ends), AfterValidator(_in_order)]


class Work(Section):
    """What a plan says there is to do: `count` times `each` of the unit, at a rate, where it names one.

    `each`: tokens of a request, or epochs of a row. `per_s` and `s_each` are two ways to name a rate. Without a count
    the rate says how much the claim would do.
    """

    count: Span | None = None
    each: Span = (1.0, 1.0)
    unit: Unit
    per_s: Span | None = None
    s_each: Span | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Work:
        if self.per_s and self.s_each:
            raise Clash("a rate is named once", "s_each")
        if not (self.count or self.rate):
            raise Clash("says neither how much nor how fast", allowed="count, per_s, s_each")
        return self

    @property
    def rate(self) -> tuple[float, float] | None:
        """Units a second, least and most."""
        return (1 / self.s_each[1], 1 / self.s_each[0]) if self.s_each else self.per_s

    @property
    def units(self) -> tuple[float, float] | None:
        """Least and most of them."""
        return (self.count[0] * self.each[0], self.count[1] * self.each[1]) if self.count else None


class Claim(Section):
    """One thing that a plan says of its time, on a line of it.

    `phases`: those of the night that do this; none where a person does, or nothing here. `sum_of`: the claims that this
    one is the sum of. `profiles`, `unless`: it holds only with one of these, and not with any of those.
    """

    about: str
    line: int = Field(ge=1)
    hours: Span | None = None
    work: Work | None = None
    phases: tuple[str, ...] = ()
    sum_of: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    note: str = ""

    def holds(self, profiles: Sequence[str]) -> bool:
        """Whether the plan says it of a night with these profiles."""
        return (not self.profiles or bool({*self.profiles} & {*profiles})) and not {*self.unless} & {*profiles}


class Claims(Section):
    """All that a plan says of its time."""

    plan: str
    claims: tuple[Claim, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _sums_are_of_claims(self) -> Claims:
        known = {claim.about for claim in self.claims}
        for place, claim in enumerate(self.claims):
            if lost := [name for name in claim.sum_of if name not in known]:
                raise Clash(f"no such claim: {lost[0]}", "claims", place, "sum_of", allowed=", ".join(sorted(known)))
        return self


@dataclass(frozen=True, slots=True)
class Held:
    """A claim beside the arithmetic; seconds from least to most, None where there is nothing to reckon with.

    `own_s`: by the plan's own numbers. `implied_per_s`: the rate that the claim comes to where the plan names none;
    `implied_units`: how much it comes to at the plan's rate where the plan does not say how much.
    `units`: this night's, at most, of `unit`; `at_its_rate_s`: these at the rate that the plan names. `measured_s`: by
    the rates of this store, and `basis` whose they are; None where one of the phases was never measured here.
    """

    about: str
    line: int
    claimed_s: tuple[float, float] | None
    own_s: tuple[float, float] | None
    implied_per_s: tuple[float, float] | None
    implied_units: tuple[float, float] | None
    work: Work | None
    phases: tuple[str, ...]
    units: float
    at_its_rate_s: tuple[float, float] | None
    measured_s: float | None
    basis: str
    note: str

    @property
    def times(self) -> float | None:
        """How many times as long as by its own numbers the plan claims that it takes, middle by middle."""
        return sum(self.claimed_s) / sum(self.own_s) if self.claimed_s and self.own_s else None

    @property
    def agrees(self) -> bool | None:
        """Whether the claim and the plan's own numbers have a time in common."""
        if not self.claimed_s or not self.own_s:
            return None
        return self.claimed_s[0] <= self.own_s[1] and self.own_s[0] <= self.claimed_s[1]


def claims_of(recipe: Path) -> Claims | None:
    """What the plan behind a recipe claims: `claims/NAME.yaml` beside it, where there is one.

    Raises:
        RecipeError: the file is not as it must be; names line and field.
    """
    file = recipe.parent / "claims" / recipe.name
    if not file.is_file():
        return None
    tree = read_tree(file)
    try:
        return Claims.model_validate_json(orjson.dumps(tree.data), strict=True)
    except ValidationError as err:
        raise explain(err, tree, Claims.model_json_schema()) from None


def hold(
    found: Claims,
    profiles: Sequence[str],
    ahead: Sequence[Forecast],
    measured: Mapping[str, tuple[float, str]],
) -> list[Held]:
    """Every claim that holds with these profiles, beside the arithmetic.

    Args:
        ahead: the night's phases.
        measured: seconds of the phases whose rate this store knows, and what each is known by.
    """
    said = {claim.about: claim for claim in found.claims if claim.holds(profiles)}
    return [_held(claim, said, {one.phase: one for one in ahead}, measured) for claim in said.values()]


def _held(
    claim: Claim,
    said: Mapping[str, Claim],
    ahead: Mapping[str, Forecast],
    measured: Mapping[str, tuple[float, str]],
) -> Held:
    work, phases = claim.work, tuple(phase for phase in claim.phases if phase in ahead)
    claimed = _seconds(claim.hours) if claim.hours else None
    units = sum(_units(ahead[phase], work.unit) for phase in phases) if work else 0.0
    count, rate = (work.units, work.rate) if work else (None, None)
    known = [measured[phase] for phase in phases if phase in measured]
    whole = bool(phases) and len(known) == len(phases)
    return Held(
        about=claim.about,
        line=claim.line,
        claimed_s=claimed,
        own_s=_sum(claim, said) if claim.sum_of else _at(count, rate) if count and rate else None,
        implied_per_s=_at(count, claimed) if count and claimed and not rate else None,
        implied_units=(claimed[0] * rate[0], claimed[1] * rate[1]) if claimed and rate and not count else None,
        work=work,
        phases=phases,
        units=units,
        at_its_rate_s=_at((units, units), rate) if rate and units else None,
        measured_s=sum(seconds for seconds, _ in known) if whole else None,
        basis="; ".join(dict.fromkeys(basis for _, basis in known)) if whole else "",
        note=claim.note,
    )


def _sum(claim: Claim, said: Mapping[str, Claim]) -> tuple[float, float] | None:
    """Of the parts that a night with these profiles has."""
    parts = [said[name].hours for name in claim.sum_of if name in said]
    spans = [_seconds(span) for span in parts if span]
    return (sum(low for low, _ in spans), sum(high for _, high in spans)) if spans else None


def _units(ahead: Forecast, unit: Unit) -> float:
    found = {"tokens": ahead.tokens, "requests": ahead.requests, "rows": ahead.trained, "problems": ahead.chunks}
    return found[unit]


def _seconds(hours: tuple[float, float]) -> tuple[float, float]:
    return hours[0] * _HOUR_S, hours[1] * _HOUR_S


def _at(units: tuple[float, float], by: tuple[float, float]) -> tuple[float, float]:
    """From the least at the most to the most at the least: seconds at a rate, or a rate over seconds."""
    return units[0] / by[1], units[1] / by[0]
