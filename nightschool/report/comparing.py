"""From two nights to what differs between them: recipe, rows at each step, stages, gates, times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nightschool.recipe.differences import differences
from nightschool.recipe.recipe import Recipe
from nightschool.records import Measured
from nightschool.report.comparison import (
    Around,
    Comparison,
    GateChange,
    Seconds,
    ShareChange,
    Side,
    StageChange,
    Step,
    TimeChange,
)
from nightschool.report.figures import Report
from nightschool.report.grid import accuracy
from nightschool.report.measure import compare
from nightschool.report.proof import Estimate
from nightschool.report.stage import Stage
from nightschool.report.unpaired import apart

# Pairing on fewer of the questions than this would throw more away than it gains.
_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Told:
    """A night as it is compared.

    `answers` of each stage: `question` is the question's content and `seed` the sampling seed's place among those of
    the night, so that rows of two nights with the same id were asked the same. `around`: its machine's facts, by name.
    """

    recipe: Recipe
    report: Report
    answers: Mapping[str, Sequence[Measured]] = field(default_factory=dict)
    around: Mapping[str, str] = field(default_factory=dict)


def comparison(first: Told, second: Told) -> Comparison:
    """All that differs. Stages are held against those of their name, and the last one against the last one."""
    pairs = _pairs(first.report.stages, second.report.stages)
    named = {"first": {old.name for old, _ in pairs}, "second": {new.name for _, new in pairs}}
    theirs = {"first": first.report.stages, "second": second.report.stages}
    return Comparison(
        first=_side(first.report),
        second=_side(second.report),
        recipe=differences(first.recipe, second.recipe),
        around=_around(first.around, second.around),
        funnel=_funnel(first.report, second.report),
        stages=tuple(_stage(first, second, old, new) for old, new in pairs),
        alone={night: tuple(one.name for one in found if one.name not in named[night])
               for night, found in theirs.items()},
        gates=_gates(first.report, second.report),
        times=_times(first.report, second.report),
        latency=_latency(first.report, second.report),
        baselines={"first": first.report.baselines, "second": second.report.baselines},
        counts=_counts(first.report, second.report),
    )  # fmt: skip


def _side(report: Report) -> Side:
    return Side(night=report.night.name, started=report.night.started, verdict=report.night.verdict)


def _around(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Around, ...]:
    names = dict.fromkeys([*before, *after])
    found = (Around(name=name, before=before.get(name), after=after.get(name)) for name in names)
    return tuple(one for one in found if one.before != one.after)


def _funnel(first: Report, second: Report) -> tuple[Step, ...]:
    before, after = ({step.step: step for step in one.funnel} for one in (first, second))
    found = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        lost = [step.dropped if step else {} for step in (old, new)]
        reasons = dict.fromkeys([*lost[0], *lost[1]])
        dropped = {reason: (lost[0].get(reason, 0), lost[1].get(reason, 0)) for reason in reasons}
        found.append(Step(step=name, before=old and old.total, after=new and new.total, dropped=dropped))
    return tuple(found)


def _pairs(before: Sequence[Stage], after: Sequence[Stage]) -> list[tuple[Stage, Stage]]:
    theirs = {stage.name: stage for stage in before}
    found = [(theirs[stage.name], stage) for stage in after if stage.name in theirs]
    last = [(before[-1], after[-1])] if before and after else []
    return [*found, *(pair for pair in last if pair not in found)]


def _stage(first: Told, second: Told, old: Stage, new: Stage) -> StageChange:
    rows = [list(one.answers.get(stage.name, ())) for one, stage in ((first, old), (second, new))]
    on, paired = _paired(*({row.question for row in each} for each in rows))
    own = f"{first.report.night.name}'s {old.name}"
    if paired:
        common = {row.id for row in rows[0]} & {row.id for row in rows[1]}
        rows = [[row for row in each if row.id in common] for each in rows]
        readable = [[row.model_copy(update={"right": row.value is not None}) for row in each] for each in rows]
        right, valid = (_together(own, *pair) for pair in (rows, readable))
    else:
        right, valid = _apart(own, old.accuracy, new.accuracy), _apart(own, old.valid, new.valid)
    keys = [one.report.night.keys.get(f"validate/{stage.name}") for one, stage in ((first, old), (second, new))]
    if paired and keys[0] and keys[0] == keys[1]:
        on = "the very same answers: nothing that decides them differs"
    return StageChange(stage=new.name, over=old.name, right=right, readable=valid, paired=paired, on=on)


def _together(over: str, before: Sequence[Measured], after: Sequence[Measured]) -> ShareChange:
    gain = compare(over, before, after)
    assert gain is not None, "rows are paired where there are some in common"
    return ShareChange(before=accuracy(before), after=accuracy(after), gain=gain)


def _apart(over: str, before: Estimate, after: Estimate) -> ShareChange:
    return ShareChange(before=before, after=after, gain=apart(over, before, after))


def _paired(before: set[str], after: set[str]) -> tuple[str, bool]:
    """In words, what can be paired of the questions that were asked, or why it is not."""
    if not (before and after):
        return "not paired: the answers of one night are no longer in its store", False
    common, least = len(before & after), min(len(before), len(after))
    if common < _ENOUGH * least:
        told = f"only {common:,} of {least:,} questions are the same" if common else "they were asked other questions"
        return f"not paired: {told}", False
    if common == max(len(before), len(after)):
        return f"paired: the same {common:,} questions", True
    return f"paired: the {common:,} questions that both were asked", True


def _gates(first: Report, second: Report) -> tuple[GateChange, ...]:
    before, after = ({gate.name: gate for gate in one.gates} for one in (first, second))
    names = dict.fromkeys([*before, *after])
    return tuple(GateChange(name=name, before=before.get(name), after=after.get(name)) for name in names)


def _times(first: Report, second: Report) -> tuple[TimeChange, ...]:
    before, after = ({phase.name: phase for phase in one.phases} for one in (first, second))
    sides = ((first.night.name, before), (second.night.name, after))
    return tuple(
        TimeChange(
            phase=name,
            before=before[name].seconds if name in before else None,
            after=after[name].seconds if name in after else None,
            cached=tuple(night for night, found in sides if name in found and found[name].cached_chunks),
        )
        for name in dict.fromkeys([*before, *after])
    )


def _latency(first: Report, second: Report) -> Seconds | None:
    timed = [next((one.latency for one in reversed(each.stages) if one.latency), None) for each in (first, second)]
    before, after = timed
    if before is None or after is None:
        return None
    means = [Estimate(value=one.mean_s, low=one.mean_low_s, high=one.mean_high_s, n=one.n) for one in (before, after)]
    gain = apart("", *means)
    return Seconds(before=before.mean_s, after=after.mean_s, value=gain.value, low=gain.low, high=gain.high,
                   sides=(before, after))  # fmt: skip


def _counts(first: Report, second: Report) -> dict[str, tuple[float, float]]:
    """Requests, tokens and bytes, where one of the two has any."""
    both = [one.requests.model_dump(exclude={"spent"}) for one in (first, second)]
    found = {name: (both[0][name], both[1][name]) for name in both[0]}
    peaks = [(one.memory.peak_bytes or 0) if one.memory else 0 for one in (first, second)]
    found["peak_bytes"] = (peaks[0], peaks[1])
    spent = [sum(one.requests.spent.values()) for one in (first, second)]
    found["spent"] = (spent[0], spent[1])
    return {name: pair for name, pair in found.items() if any(pair)}
