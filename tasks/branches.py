"""Gates that the night waits for: a stage is measured once it is trained, and what builds on it may be left out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from nightschool.errors import GateFailed
from nightschool.recipe.gate import Gate
from nightschool.recipe.stages import Stage
from nightschool.report.proof import GateResult
from tasks import held_out, stages
from tasks.night import Night


def asked(night: Night, name: str) -> tuple[str, ...]:
    """Whose answers must be known before the night goes on behind the base or a stage, if a gate is about it."""
    needed = {one for gate in _steering(night) if gate.stage == name for one in (gate.stage, gate.over) if one}
    return tuple(one for one in stages.learner(night).measured if one in needed) if needed else ()


def skipped(night: Night) -> dict[str, str]:
    """The stages that are not trained, each with the gate that a stage they build on failed."""
    found: dict[str, str] = {}
    judged = ((gate, result) for gate, result in _judged(night) if gate.on_failure == "skip")
    failed = {gate.stage: gate.name for gate, result in judged if not result.passed}
    for stage in stages.learner(night).stages if failed else ():
        behind = (failed.get(before) or found.get(before) for before in _under(stage))
        if gate := next(filter(None, behind), None):
            found[stage.name] = gate
    return found


def stopped(night: Night) -> str:
    """The gate that ends the night, if one does."""
    return next((gate.name for gate, one in _judged(night) if gate.on_failure == "stop" and not one.passed), "")


def hold(night: Night) -> None:
    """End the night where a gate does that.

    Raises:
        GateFailed: with the figure, and what it should have been.
    """
    for gate, result in _judged(night):
        if gate.on_failure == "stop" and not result.passed:
            raise GateFailed(f"gate {gate.name} stops the night: {result.detail}")


def _under(stage: Stage) -> tuple[str, ...]:
    """What a stage builds on: its start, whose drafts it is shown, and for dpo what it is held to and who drafts."""
    return tuple(name for name in (stage.start, stage.draft_of, stage.reference, stage.drafter) if name)


def _steering(night: Night) -> list[Gate]:
    return [gate for gate in night.recipe.gates if gate.steers]


def _judged(night: Night) -> list[tuple[Gate, GateResult]]:
    """The gates that the night waits for, as far as what they are about was measured whole."""
    found: list[tuple[Gate, GateResult]] = []
    for gate in _steering(night):
        names = [name for name in (gate.over, gate.stage) if name]
        chunks = [chunk for chunk in held_out.chunks(night) if chunk.part in names]
        made = night.made(chunks)
        if chunks and len(made) == len(chunks):
            digests = " ".join(manifest.digest for _, manifest in made)
            judge = partial(_judge, night, gate, names)
            found.append((gate, night.once(f"gate {gate.name} {digests}", judge)))
    return found


def _judge(night: Night, gate: Gate, names: Sequence[str]) -> GateResult:
    # scipy, which a night without such a gate needs not
    from nightschool.gates import judge_stage
    from tasks import measured

    figures = measured.figures(night, measured.answers(night, names))
    return judge_stage(gate, next((stage for stage in figures if stage.name == gate.stage), None))
