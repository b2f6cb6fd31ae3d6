"""Gates that end a night: of votes, rows and stages as soon as these are there, of times and matches behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nightschool.chunks import Chunk
from nightschool.errors import GateFailed
from nightschool.recipe.gate import OF_PLAYERS, OF_TIMES, Gate
from nightschool.report.proof import GateResult
from tasks import ablate, arena, branches, challenges, late, parts, quality, timing
from tasks.night import Night


def stopped(night: Night) -> str:
    """The gate that ends the night, if one does."""
    return next((gate.name for gate, one in _judged(night) if not one.passed), "")


def hold(night: Night) -> None:
    """End the night where a gate does that.

    Raises:
        GateFailed: with the figure, and what it should have been.
    """
    for gate, result in _judged(night):
        if not result.passed:
            raise GateFailed(f"gate {gate.name} stops the night: {result.detail}")


def _judged(night: Night) -> list[tuple[Gate, GateResult]]:
    stopping = [gate for gate in night.recipe.gates if gate.on_failure == "stop"]
    return branches.judged(night, stopping, _about, _parts)


def _about(night: Night, gate: Gate) -> Sequence[Chunk]:
    answers = branches.about(night, gate)
    if gate.metric.startswith(OF_TIMES):
        return [*answers, *timing.chunks(night)]
    if gate.metric == "draft_gain":
        return [*answers, *ablate.chunks(night)]
    if gate.metric in OF_PLAYERS:
        played = (quality,) if gate.metric == "preference" else (challenges, arena)
        return [chunk for module in played for chunk in module.chunks(night)]
    return answers


def _parts(night: Night, gate: Gate) -> dict[str, Any]:
    if gate.metric.startswith(OF_TIMES):
        alone = timing.one_by_one(night)
        return parts.student(night, [str(gate.stage)], alone) | late.times(night, alone) | late.played(night)
    if gate.metric == "draft_gain":
        return parts.student(night, [str(gate.stage)]) | late.drafted(night)
    return late.played(night) if gate.metric in OF_PLAYERS else branches.parts(night, gate)
