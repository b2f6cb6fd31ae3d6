"""From a report to the one figure of it that a gate is about, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from nightschool.recipe.gate import OF_COMMITTEE, OF_CONTEST, OF_PLAYERS, OF_ROWS, Gate
from nightschool.report.figures import Report
from nightschool.report.kept import came_through
from nightschool.report.proof import Estimate, Gain
from nightschool.report.stage import Stage


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure with its interval and number of answers where they are known, or the reason why there is no figure."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    missing: str = ""


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
    if gate.metric == "draft_gain":
        return _of_draft(gate, report)
    stage = report.stage(gate.stage)
    if stage is None:
        return Reading(missing=f"the night has no figures of stage {gate.stage}")
    return _of_stage(gate, stage)


def _of_player(gate: Gate, report: Report) -> Reading:
    if gate.metric == "preference":
        found = (rate for one in report.quality if one.ours == gate.player for rate in (one.rate, one.even) if rate)
        least = min(found, key=lambda rate: rate.value, default=None)
        return _of_estimate(least, f"no judge compared the questions of {gate.player}")
    player = report.arena.player(gate.player) if report.arena else None
    if player is None:
        return Reading(missing=f"{gate.player} did not play")
    figures = {"match_wins": player.wins, "knockout_wins": player.title, "stump_share": player.stumps}
    return _of_estimate(figures.get(gate.metric, player.valid), "nothing could be judged")


def _of_estimate(found: Estimate | None, missing: str) -> Reading:
    return Reading(found.value, found.low, found.high, found.n) if found else Reading(missing=missing)


def _of_stage(gate: Gate, stage: Stage) -> Reading:
    if gate.metric in ("accuracy", "balanced_accuracy", "worst_class_accuracy"):
        return _of_share(gate.metric, stage)
    if gate.metric == "guessing_gain":
        return _of_gain(stage.over_guessing, f"{gate.stage} was not held against guessing")
    if gate.metric == "valid_share":
        return _of_estimate(stage.valid, "")
    if gate.metric == "accuracy_gain":
        gains = (gain for gain in (stage.gain, stage.gain_over_base, *stage.gains) if gain and gain.over == gate.over)
        return _of_gain(next(gains, None), f"{gate.stage} was not compared with {gate.over}")
    if (one := stage.latency) is None:
        return Reading(missing=f"stage {gate.stage} was not timed")
    if gate.metric == "latency_mean_s":
        return Reading(one.mean_s, one.mean_low_s, one.mean_high_s, one.n)
    if gate.metric == "ttft_p99_s":
        return Reading(one.ttft_p99_s, n=one.n, missing="its server does not stream")
    return Reading(one.p99_s, n=one.n)


def _of_contest(gate: Gate, report: Report) -> Reading:
    kind, _, what = gate.metric.partition("_")
    found = next((one.held for one in report.times if (one.of, one.stage) == (kind, gate.stage)), None)
    if found is None:
        return Reading(missing=f"the {kind} of stage {gate.stage} were not timed as a contest does")
    if what == "late":
        return _of_estimate(found.late, "")
    if what == "mean_s":
        return Reading(found.mean_s, found.mean_low_s, found.mean_high_s, found.n - found.lost)
    return Reading(found.p99_s if what == "p99_s" else found.total_s, n=found.n - found.lost)


def _of_draft(gate: Gate, report: Report) -> Reading:
    """What a stage is better with its draft than without.

    Source: plan 002, Success Metrics, ">= +3pp vs No-draft ablation".
    """
    shown = (one for found in report.ablations if found.stage == gate.stage for one in found.shown)
    change = next((one.change for one in shown if one.variant == "no_draft"), None)
    if change is None:
        return Reading(missing=f"{gate.stage} was not asked without its draft")
    return Reading(-change.value, -change.high, -change.low, change.n)


def _of_share(metric: str, stage: Stage) -> Reading:
    if metric == "accuracy":
        return _of_estimate(stage.accuracy, "")
    if stage.by_class is None:
        return Reading(missing="the held-out questions have no classes to tell apart")
    found = stage.by_class.balanced if metric == "balanced_accuracy" else stage.by_class.worst.right
    return _of_estimate(found, "")


def _of_rows(metric: str, report: Report) -> Reading:
    """What is taught, of what was asked; the share of held-out questions among it; the classes that are followed."""
    if metric == "contamination":
        found = report.contamination
        return (
            Reading(found.same / found.held_out, n=found.held_out)
            if found
            else Reading(missing="nothing was held out and taught")
        )
    if metric in ("kept_share", "taught_rows"):
        asked, _, taught = came_through(report.funnel)
        if not asked or taught is None:
            return Reading(missing="nothing was ruled on")
        return Reading(float(taught)) if metric == "taught_rows" else _of_count(taught, asked)
    if not report.shares:
        return Reading(missing="the night has no classes to compare")
    if metric == "least_class_share":
        return Reading(min(one.least for one in report.shares))
    return Reading(max(one.apart if metric == "class_skew" else one.worst for one in report.shares))


def _of_count(count: int, n: int) -> Reading:
    from nightschool.statistics import wilson  # scipy, which the command line needs not to start

    low, high = wilson(count, n)
    return Reading(count / n, low, high, n)


def _of_committee(metric: str, report: Report) -> Reading:
    if metric == "accepted_share":
        asked, accepted, _ = came_through(report.funnel)
        return _of_count(accepted, asked) if asked and accepted is not None else Reading(missing="nothing was ruled on")
    if metric in ("vote_accuracy", "agreement", "abstentions"):
        return _of_votes(metric, report)
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


def _of_votes(metric: str, report: Report) -> Reading:
    votes = report.votes
    if votes is None:
        return Reading(missing="the committee has not ruled")
    if metric == "vote_accuracy":
        return _of_estimate(votes.right, "the votes decided no row whose truth is known")
    if metric == "agreement":
        return _of_estimate(votes.agreement, "nobody voted")
    cast = min((round(one.coverage * votes.asked) for one in votes.teachers), default=0)
    return _of_count(votes.asked - cast, votes.asked)


def _of_gain(gain: Gain | None, missing: str) -> Reading:
    return Reading(gain.value, gain.low, gain.high, gain.n) if gain else Reading(missing=missing)
