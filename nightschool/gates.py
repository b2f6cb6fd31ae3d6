"""From a gate of the recipe and the figures of a night to passed or failed: what was not measured never passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nightschool.errors import GateFailed
from nightschool.recipe.gate import OF_COMMITTEE, OF_CONTEST, OF_PLAYERS, OF_ROWS, Gate
from nightschool.report.figures import Report
from nightschool.report.proof import Estimate, Gain, GateResult
from nightschool.report.stage import Stage
from nightschool.report.text import duration, percent, plain, points


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure with its interval where one is known, or the reason why there is no figure."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    missing: str = ""


def judge(gate: Gate, report: Report) -> GateResult:
    """Hold a gate against the figures.

    By interval the near end counts: the low end for `at_least`, the high end for `at_most`. A figure or interval that
    is missing fails the gate and `detail` says why. A gate that claims skill also fails where always giving the
    commonest answer would do as well.

    Source: plan 000, 4.4; issue 6, 4; plan 002, whose 51.5% were exactly always no.
    """
    if gate.metric.startswith(OF_CONTEST):
        return _held(gate, _of_contest(gate, report))
    if gate.metric == "draft_gain":
        return _held(gate, _of_draft(gate, report))
    stage = report.stage(gate.stage)
    missing = f"{gate.stage} was skipped behind gate {by}" if (by := report.skipped.get(gate.stage or "")) else ""
    return judge_stage(gate, stage, missing) if gate.stage else _held(gate, reading(gate, report))


def judge_stage(gate: Gate, stage: Stage | None, missing: str = "") -> GateResult:
    """`judge` for a gate about a stage, by this stage's figures alone; `missing` is why there are none."""
    if stage is None:
        return _held(gate, Reading(missing=missing or f"the night has no figures of stage {gate.stage}"))
    return _held(gate, _of_stage(gate, stage), _guessed(stage) if gate.claims else "")


def _held(gate: Gate, found: Reading, guessed: str = "") -> GateResult:
    direction = "at_least" if gate.at_least is not None else "at_most"
    limit = gate.at_least if gate.at_least is not None else gate.at_most
    assert limit is not None, "the recipe refuses a gate without a limit"
    counted = found.value
    if gate.by == "interval":
        counted = found.low if direction == "at_least" else found.high
    passed = counted is not None and (counted >= limit if direction == "at_least" else counted <= limit)
    return GateResult(
        name=gate.name,
        passed=passed and not guessed,
        value=found.value,
        limit=limit,
        by=gate.by,
        detail="; ".join(filter(None, (_detail(gate, found, limit, direction), guessed))),
        metric=gate.metric,
        stage=gate.stage,
        player=gate.player,
        over=gate.over,
        direction=direction,
        on_failure=gate.on_failure,
        because=guessed,
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
    if metric.endswith("skew"):
        return f"{value:.2f}"
    return f"{points(value)} points" if metric.endswith("gain") else percent(value)


def limit_shown(metric: str, limit: float) -> str:
    """A limit as it was written: 95%, 15 points, 0.5 s."""
    if metric.endswith("_s"):
        return f"{limit:g} s"
    if metric.endswith("skew"):
        return f"{limit:g}"
    return f"{100 * limit:g} points" if metric.endswith("gain") else f"{100 * limit:g}%"


def reading(gate: Gate, report: Report) -> Reading:
    """The figure that a gate is about, whatever its limit."""
    if gate.metric in OF_ROWS:
        return _of_rows(gate.metric, report)
    if gate.metric in OF_COMMITTEE:
        return _of_committee(gate.metric, report)
    if gate.metric in OF_PLAYERS:
        return _of_player(gate, report)
    if gate.metric.startswith(OF_CONTEST):
        return _of_contest(gate, report)
    stage = report.stage(gate.stage)
    if stage is None:
        return Reading(missing=f"the night has no figures of stage {gate.stage}")
    return _of_stage(gate, stage)


def _of_player(gate: Gate, report: Report) -> Reading:
    if gate.metric == "preference":
        judged = [one.rate for one in report.quality if one.ours == gate.player and one.rate]
        least = min(judged, key=lambda rate: rate.value, default=None)
        return _of_estimate(least, f"no judge compared the questions of {gate.player}")
    player = report.arena.player(gate.player) if report.arena else None
    if player is None:
        return Reading(missing=f"{gate.player} did not play")
    figures = {"match_wins": player.wins, "knockout_wins": player.title, "stump_share": player.stumps}
    return _of_estimate(figures.get(gate.metric, player.valid), "nothing could be judged")


def _of_estimate(found: Estimate | None, missing: str) -> Reading:
    return Reading(found.value, found.low, found.high) if found else Reading(missing=missing)


def _of_stage(gate: Gate, stage: Stage) -> Reading:
    if gate.metric in ("accuracy", "balanced_accuracy", "worst_class_accuracy"):
        return _of_share(gate.metric, stage)
    if gate.metric == "guessing_gain":
        return _of_gain(stage.over_guessing, f"{gate.stage} was not held against guessing")
    if gate.metric == "valid_share":
        return Reading(stage.valid_share, stage.valid_low, stage.valid_high)
    if gate.metric == "accuracy_gain":
        gains = (gain for gain in (stage.gain, stage.gain_over_base, *stage.gains) if gain and gain.over == gate.over)
        return _of_gain(next(gains, None), f"{gate.stage} was not compared with {gate.over}")
    if stage.latency is None:
        return Reading(missing=f"stage {gate.stage} was not timed")
    if gate.metric == "latency_mean_s":
        return Reading(stage.latency.mean_s, stage.latency.mean_low_s, stage.latency.mean_high_s)
    if gate.metric == "ttft_p99_s":
        return Reading(stage.latency.ttft_p99_s, missing="its server does not stream")
    return Reading(stage.latency.p99_s)


def _of_contest(gate: Gate, report: Report) -> Reading:
    kind, _, what = gate.metric.partition("_")
    found = next((one.held for one in report.times if (one.of, one.stage) == (kind, gate.stage)), None)
    if found is None:
        return Reading(missing=f"the {kind} of stage {gate.stage} were not timed as a contest does")
    if what == "late":
        return Reading(found.late.value, found.late.low, found.late.high)
    if what == "mean_s":
        return Reading(found.mean_s, found.mean_low_s, found.mean_high_s)
    return Reading(found.p99_s if what == "p99_s" else found.total_s)


def _of_draft(gate: Gate, report: Report) -> Reading:
    """What a stage is better with its draft than without.

    Source: plan 002, Success Metrics, ">= +3pp vs No-draft ablation".
    """
    shown = (one for found in report.ablations if found.stage == gate.stage for one in found.shown)
    change = next((one.change for one in shown if one.variant == "no_draft"), None)
    if change is None:
        return Reading(missing=f"{gate.stage} was not asked without its draft")
    return Reading(-change.value, -change.high, -change.low)


def _of_share(metric: str, stage: Stage) -> Reading:
    if metric == "accuracy":
        return Reading(stage.accuracy.value, stage.accuracy.low, stage.accuracy.high)
    if stage.by_class is None:
        return Reading(missing="the held-out questions have no classes to tell apart")
    found = stage.by_class.balanced if metric == "balanced_accuracy" else stage.by_class.worst.right
    return Reading(found.value, found.low, found.high)


def _guessed(stage: Stage) -> str:
    """Why the figure is no skill; nothing where it is."""
    gain = stage.over_guessing
    if gain is None:
        return "nobody knows whether guessing would do as well"
    if gain.significant and gain.value > 0:
        return ""
    interval = f"{shown('gain', gain.low)} to {shown('gain', gain.high)}"
    return f"not measurably above {gain.over}: {shown('gain', gain.value)} (95% interval {interval})"


def _of_rows(metric: str, report: Report) -> Reading:
    """The share of held-out questions that were taught, or the worst of the fields that are followed."""
    if metric == "contamination":
        found = report.contamination
        return Reading(found.same / found.held_out) if found else Reading(missing="nothing was held out and taught")
    if not report.shares:
        return Reading(missing="the night has no classes to compare")
    return Reading(max(one.apart if metric == "class_skew" else one.worst for one in report.shares))


def _of_committee(metric: str, report: Report) -> Reading:
    committee = report.committee
    if committee is None and report.votes and metric == "vote_gain":
        gains = [one.gain for one in report.votes.teachers if one.gain]
        least = min(gains, key=lambda gain: gain.value, default=None)
        return _of_gain(least, "the votes decided no row whose truth is known")
    if committee is None:
        return Reading(missing="the night has no figures of the committee")
    if metric == "vote_gain":
        return _of_gain(committee.vote_gain, "the votes decided no row whose truth is known")
    return _of_gain(committee.gain, "the accepted rows were not compared")


def _of_gain(gain: Gain | None, missing: str) -> Reading:
    return Reading(gain.value, gain.low, gain.high) if gain else Reading(missing=missing)


def _detail(gate: Gate, found: Reading, limit: float, direction: str) -> str:
    of = " ".join(filter(None, (gate.stage, gate.player, plain(gate.metric))))
    of += f" over {gate.over}" if gate.over else ""
    wanted = f"wanted: {plain(direction)} {limit_shown(gate.metric, limit)}"
    if found.value is None:
        return f"{of}: not measured, {found.missing}; {wanted}"
    value = f"{of.removesuffix(' s')} is {shown(gate.metric, found.value)}"
    if found.low is None or found.high is None:
        lack = " by interval, and this figure has none" if gate.by == "interval" else ""
        return f"{value}; {wanted}{lack}"
    interval = f"{shown(gate.metric, found.low)} to {shown(gate.metric, found.high)}"
    return f"{value} (95% interval {interval}); {wanted}{' by interval' if gate.by == 'interval' else ''}"
