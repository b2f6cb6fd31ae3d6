"""Why a figure within its limit proves nothing: who always says the same, or nothing at all, would do as well.

Source: plan 002, whose 51.5% were exactly always no.
"""

from __future__ import annotations

from nightschool.recipe.gate import OF_TIMES, Gate
from nightschool.report.arena import Arena, Standing
from nightschool.report.estimates import counted
from nightschool.report.proof import Gain
from nightschool.report.stage import Stage
from nightschool.report.text import points

# Plan 000's contest hands back an empty list where fewer than half of a file's rows are valid.
_READABLE = 0.5


def of_stage(gate: Gate, stage: Stage) -> str:
    """Why a stage's figure is no skill; nothing where it is, or where the gate is about none.

    Accuracy, and gains from 0 on, want a stage that is measurably above always the commonest answer; balanced accuracy
    one that is above what any constant answer has. Times want replies that can be read, at least half of them.
    """
    if not gate.claims:
        return ""
    if gate.metric.startswith(OF_TIMES):
        few = stage.valid_share < _READABLE and not gate.metric.startswith("questions_")
        return (
            f"only {counted(stage.valid)} of its replies can be read: this is how fast it says nothing" if few else ""
        )
    if gate.metric == "balanced_accuracy":
        return _above_constant(stage)
    return _above_guessing(stage.over_guessing)


def of_player(gate: Gate, player: Standing | None) -> str:
    """Why a player's wins are no skill: opponents may be worse than guessing."""
    if not gate.claims or player is None or player.wins is None:
        return ""
    why = _above_guessing(player.over_guessing)
    return f"its answers are {why}" if why else ""


def of_writer(gate: Gate, arena: Arena | None) -> str:
    """Why times of questions prove nothing: half of those that it wrote in the arena, if it did, must be valid."""
    written = (one.valid for one in (arena.players if arena else ()) if one.writes == gate.stage)
    valid = next(filter(None, written), None)
    if valid is None or not gate.claims or valid.value >= _READABLE:
        return ""
    return f"only {counted(valid)} of its questions are valid: this is how fast it says nothing"


def _above_constant(stage: Stage) -> str:
    if stage.by_class is None:
        return ""
    classes = len(stage.by_class.classes)
    if stage.by_class.balanced.low > 1 / classes:
        return ""
    return f"not measurably above the 1 in {classes} that always the same answer has"


def _above_guessing(gain: Gain | None) -> str:
    if gain is None:
        return "not held against guessing: nobody knows whether that would do as well"
    if gain.significant and gain.value > 0:
        return ""
    interval = f"{points(gain.low)} points to {points(gain.high)} points"
    size = f", n {gain.n:,}" if gain.n is not None else ""
    return f"not measurably above {gain.over}: {points(gain.value)} points (95% interval {interval}{size})"
