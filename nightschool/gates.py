"""From a gate of the recipe and the figures of a night to passed or failed: what was not measured never passes."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool import no_skill
from nightschool.errors import GateFailed
from nightschool.readings import Reading, reading
from nightschool.recipe.gate import Gate
from nightschool.report.figures import Report
from nightschool.report.proof import GateResult
from nightschool.report.text import duration, percent, plain, points


def judge(gate: Gate, report: Report) -> GateResult:
    """Hold a gate against the figures.

    By interval the near end counts: the low end for `at_least`, the high end for `at_most`. A figure or interval that
    is missing fails the gate and `detail` says why. A gate that claims skill also fails where saying the same to
    everything, or nothing, would do as well: see `nightschool.no_skill`.

    Source: plan 000, 4.4; issue 6, 4; plan 002, whose 51.5% were exactly always no.
    """
    if gate.stage is None:
        player = report.arena.player(gate.player) if report.arena else None
        return _held(gate, reading(gate, report), no_skill.of_player(gate, player))
    if gate.metric.startswith("questions_"):
        return _held(gate, reading(gate, report), no_skill.of_writer(gate, report.arena))
    stage, skipped_by = report.stage(gate.stage), report.skipped.get(gate.stage)
    if skipped_by and stage is None:
        return _held(gate, Reading(missing=f"{gate.stage} was skipped behind gate {skipped_by}"))
    return _held(gate, reading(gate, report), no_skill.of_stage(gate, stage) if stage else "")


def _held(gate: Gate, found: Reading, because: str = "") -> GateResult:
    direction = "at_least" if gate.at_least is not None else "at_most"
    limit = gate.at_least if gate.at_least is not None else gate.at_most
    assert limit is not None, "the recipe refuses a gate without a limit"
    counted = found.value
    if gate.by == "interval":
        counted = found.low if direction == "at_least" else found.high
    passed = counted is not None and (counted >= limit if direction == "at_least" else counted <= limit)
    return GateResult(
        name=gate.name,
        passed=passed and not because,
        value=found.value,
        limit=limit,
        by=gate.by,
        detail="; ".join(filter(None, (_detail(gate, found, limit, direction), because))),
        metric=gate.metric,
        stage=gate.stage,
        player=gate.player,
        over=gate.over,
        direction=direction,
        on_failure=gate.on_failure,
        because=because,
        low=found.low,
        high=found.high,
        n=found.n,
    )


def refuse(results: Sequence[GateResult]) -> None:
    """End a night as its gates have it; those that only warn don't.

    Raises:
        GateFailed: names the gates that failed it.
    """
    if failed := [gate.name for gate in results if gate.fails]:
        raise GateFailed(f"{len(failed)} of {len(results)} gates failed: {', '.join(failed)}")


def shown(metric: str, value: float) -> str:
    """A figure in the unit of its metric: 48.2%, +21.9 points, 0.21 s."""
    if metric.endswith("_s"):
        return duration(value)
    if metric.endswith("_rows"):
        return f"{value:,.0f}"
    if metric.endswith("skew"):
        return f"{value:.2f}"
    return f"{points(value)} points" if metric.endswith("gain") else percent(value)


def interval(gate: GateResult) -> str:
    """What stands behind a gate's figure: "44.0% to 52.0%, n 400"; nothing of what has neither."""
    parts = [f"n {gate.n:,}"] if gate.n is not None and gate.value is not None else []
    if gate.low is not None and gate.high is not None:
        low, high = (shown(gate.metric, end) for end in (gate.low, gate.high))
        parts.insert(0, f"{low.removesuffix(' points')} to {high}")
    return ", ".join(parts)


def limit_shown(metric: str, limit: float) -> str:
    """A limit as it was written: 95%, 15 points, 0.5 s."""
    if metric.endswith("_s"):
        return f"{limit:g} s"
    if metric.endswith(("skew", "_rows")):
        return f"{limit:,g}"
    return f"{100 * limit:g} points" if metric.endswith("gain") else f"{100 * limit:g}%"


def _detail(gate: Gate, found: Reading, limit: float, direction: str) -> str:
    of = " ".join(filter(None, (gate.stage, gate.player, plain(gate.metric))))
    of += f" over {gate.over}" if gate.over else ""
    wanted = f"wanted: {plain(direction)} {limit_shown(gate.metric, limit)}"
    if found.value is None:
        return f"{of}: not measured, {found.missing}; {wanted}"
    value = f"{of.removesuffix(' s')} is {shown(gate.metric, found.value)}"
    if found.low is None or found.high is None:
        lack = " by interval, and this figure has none" if gate.by == "interval" else ""
        return f"{value}{f' (n {found.n:,})' if found.n is not None else ''}; {wanted}{lack}"
    interval = f"{shown(gate.metric, found.low)} to {shown(gate.metric, found.high)}"
    size = f", n {found.n:,}" if found.n is not None else ""
    return f"{value} (95% interval {interval}{size}); {wanted}{' by interval' if gate.by == 'interval' else ''}"
