"""From what phases took before to what they will take: seconds of wall clock, and what each is known by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nightschool.starts import Start, ahead_s, desk_of

# Phases that the same models carry: where one of them goes slower than it did, the others will.
GROUPS = {
    "teachers": ("questions", "answers"),
    "student": ("drafts", "pairs", "rounds", "validate", "timing", "ablate"),
    "training": ("sft", "dpo"),
    "players": ("challenges", "arena", "quality", "predict"),
}
_GROUP_OF = {phase: group for group, phases in GROUPS.items() for phase in phases}
PROVEN = "validate"
# A pair is two texts, each also read under the reference: 8 passes for the 3 of a row of sft.
_WEIGHT = {"dpo": 8 / 3}
# What nobody has measured: 500 tokens a second, two rows a second trained on, a second for a chunk of anything else.
_ASSUMED = {"teachers": 1 / 500, "student": 1 / 500, "players": 1 / 500, "training": 0.5}
_ASSUMED_OTHER, _ASSUMED_START_S, _ASSUMED_REST_S = 1.0, 60.0, 1.0
_MOST_DRIFT = 20.0


@dataclass(frozen=True, slots=True)
class Evening:
    """What one run of a night took.

    `took` has, by phase, units (`Forecast.units`) and seconds; `who` the models by group, `engines` their engines.
    `lead` has, by phase, the seconds of one training that are not the training's own, which `took` leaves out, `starts`
    the starts of servers; `start_s` is one of them, `rest_s` what lies between two phases.
    """

    night: str
    took: Mapping[str, tuple[float, float]]
    who: Mapping[str, str]
    start_s: float | None = None
    rest_s: float | None = None
    lead: Mapping[str, float] = field(default_factory=dict)
    engines: Mapping[str, frozenset[str]] = field(default_factory=dict)
    starts: tuple[Start, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A phase ahead: seconds for what is missing of it, and where its rate was measured ("" if assumed)."""

    phase: str
    seconds: float
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that is ahead of a night, in order; a phase that is whole is not in it."""

    phases: tuple[Estimate, ...]

    @property
    def seconds(self) -> float:
        """Until the report is written."""
        return sum(one.seconds for one in self.phases)

    @property
    def proven_s(self) -> float:
        """Until the student is validated; the whole where there is none."""
        names = [one.phase for one in self.phases]
        behind = names.index(PROVEN) + 1 if PROVEN in names else len(names)
        return sum(one.seconds for one in self.phases[:behind])

    @property
    def basis(self) -> str:
        """For people: "measured this evening: questions; on night tue: answers, sft; assumed: dpo"."""
        by: dict[str, list[str]] = {}
        for one in self.phases:
            if one.seconds >= 0.01 * self.seconds:
                by.setdefault(one.basis or "assumed", []).append(one.phase)
        told = sorted(by.items(), key=lambda item: item[0] == "assumed")
        return "; ".join(f"{basis}: {', '.join(phases)}" for basis, phases in told)


def outlook(
    missing: Mapping[str, float],
    now: Evening,
    earlier: Sequence[Evening],
    *,
    up: Sequence[str] = (),
    trainings: Mapping[str, float] | None = None,
) -> Outlook:
    """What a night takes from here on.

    Args:
        missing: units still to be made, by phase in the night's order.
        now: this evening as far as it went.
        earlier: other evenings on this store, the one to go by first.
        up: phases whose servers are up.
        trainings: how many are still to be begun, by phase.
    """
    rest = _first(earlier, now, "rest_s", _ASSUMED_REST_S)
    served = {one for phase in up for one in desk_of(phase)}
    found: list[Estimate] = []
    for phase, units in missing.items():
        if units <= 0:
            continue
        each, basis = _each(phase, now, earlier)
        once = rest + (trainings or {}).get(phase, 0.0) * _lead(phase, now, earlier)
        if desk_of(phase):
            once += _start(phase, now, earlier, begins=phase not in served)
        served |= {*desk_of(phase)}
        found.append(Estimate(phase, units * each + once, basis))
    return Outlook(tuple(found))


def _start(phase: str, now: Evening, earlier: Sequence[Evening], *, begins: bool) -> float:
    """Until whoever is asked in a phase answers."""
    group = _GROUP_OF[phase]
    known = [one.starts for one in (now, *_alike(group, now, earlier))]
    found = ahead_s(phase, now.engines.get(group, frozenset()), known, begins=begins)
    return _first(earlier, now, "start_s", _ASSUMED_START_S) if found is None else found


def _lead(phase: str, now: Evening, earlier: Sequence[Evening]) -> float:
    """What one training of a phase takes beside its steps; nothing where it was never measured: then the rates of its
    like have it in them."""
    group = _GROUP_OF.get(phase, "")
    for one in (now, *_alike(group, now, earlier)):
        if found := [one.lead[other] for other in (phase, *GROUPS.get(group, ())) if other in one.lead]:
            return found[0]
    return 0.0


def _first(earlier: Sequence[Evening], now: Evening, name: str, assumed: float) -> float:
    known = (getattr(one, name) for one in (now, *earlier))
    return next((one for one in known if one is not None), assumed)


def _each(phase: str, now: Evening, earlier: Sequence[Evening]) -> tuple[float, str]:
    """Seconds for a unit, and what that is known by."""
    weight = _WEIGHT.get(phase, 1.0)
    if phase in now.took:
        return _rate(now, [phase]) * weight, "measured this evening"
    group = _GROUP_OF.get(phase, "")
    for one in _alike(group, now, earlier):
        if phase in one.took:
            drift, told = _drift(group, now, one), ""
            if abs(drift - 1) > 0.05:
                told = f", {'slower' if drift > 1 else 'faster'} as this evening is"
            other = "" if one.who.get(group) == now.who.get(group) else ", by other models"
            return _rate(one, [phase]) * drift * weight, f"on night {one.night}{other}{told}"
    for one in (now, *_alike(group, now, earlier)):
        others = [other for other in GROUPS.get(group, ()) if other in one.took]
        if others:
            where = "this evening's" if one is now else f"night {one.night}'s"
            return _rate(one, others) * weight, f"from {where} {', '.join(others)}"
    return _ASSUMED.get(group, _ASSUMED_OTHER) * weight, ""


def _rate(evening: Evening, phases: Sequence[str]) -> float:
    """Seconds for a unit of these phases together, each of the weight of a plain one."""
    units = sum(evening.took[phase][0] * _WEIGHT.get(phase, 1.0) for phase in phases)
    return sum(evening.took[phase][1] for phase in phases) / units if units else 0.0


def _alike(group: str, now: Evening, earlier: Sequence[Evening]) -> Iterator[Evening]:
    """Evenings of the same models first."""
    yield from (one for one in earlier if one.who.get(group) == now.who.get(group))
    yield from (one for one in earlier if one.who.get(group) != now.who.get(group))


def _drift(group: str, now: Evening, then: Evening) -> float:
    """How much longer this evening takes than that one, over what both did with the same models."""
    both = [phase for phase in GROUPS.get(group, ()) if phase in now.took and phase in then.took]
    expected = sum(now.took[phase][0] * _WEIGHT.get(phase, 1.0) * _rate(then, [phase]) for phase in both)
    actual = sum(now.took[phase][1] for phase in both)
    return min(_MOST_DRIFT, max(1 / _MOST_DRIFT, actual / expected)) if expected and actual else 1.0
