"""Gates that leave out stages: each is judged once what it is about is there, and what builds on it is not trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nightschool.chunks import Chunk
from nightschool.recipe.gate import OF_ROWS, OF_TIMES, OF_VOTES, Gate
from nightschool.recipe.stages import Stage
from nightschool.report.proof import GateResult
from tasks import balance, committee, filters, held_out, review, splits, stages
from tasks.night import Night

_OF_VOTES = (committee, review)
_OF_ROWS = (*_OF_VOTES, filters, splits, balance)

# What must be there before a gate can be judged, and the parts of the report that it is about.
About = Callable[[Night, Gate], Sequence[Chunk]]
Parts = Callable[[Night, Gate], dict[str, Any]]


def asked(night: Night, name: str) -> tuple[str, ...]:
    """Whose answers must be known before the night goes on behind the base or a stage, if a gate is about it."""
    steering = [gate for gate in night.recipe.gates if gate.steers and not gate.metric.startswith((*OF_TIMES, "draft"))]
    needed = {one for gate in steering if gate.stage == name for one in (gate.stage, gate.over) if one}
    return tuple(one for one in stages.learner(night).measured if one in needed) if needed else ()


def skipped(night: Night) -> dict[str, str]:
    """The stages that are not trained, each with the gate that failed: of what they build on, or of votes or rows."""
    skipping = [gate for gate in night.recipe.gates if gate.on_failure == "skip"]
    failed = {gate.stage: gate.name for gate, result in judged(night, skipping, about, parts) if not result.passed}
    found: dict[str | None, str] = {}
    for stage in stages.learner(night).stages if failed else ():
        behind = (failed.get(before) or found.get(before) for before in (None, *_under(stage)))
        if gate := next(filter(None, behind), None):
            found[stage.name] = gate
    return {name: gate for name, gate in found.items() if name}


def judged(night: Night, gates: Iterable[Gate], needs: About, shown: Parts) -> list[tuple[Gate, GateResult]]:
    """These gates as far as what they are about was made whole."""
    found: list[tuple[Gate, GateResult]] = []
    for gate in gates:
        chunks = needs(night, gate)
        made = night.made(chunks)
        if chunks and len(made) == len(chunks):
            digests = " ".join(manifest.digest for _, manifest in made)
            found.append((gate, night.once(f"gate {gate} {digests}", lambda gate=gate: _judge(night, gate, shown))))
    return found


def about(night: Night, gate: Gate) -> Sequence[Chunk]:
    """All that must be there before a gate of votes, rows or a stage's answers can be judged."""
    if gate.metric in (*OF_VOTES, *OF_ROWS):
        modules = _OF_VOTES if gate.metric in OF_VOTES else _OF_ROWS
        return [chunk for module in modules for chunk in module.chunks(night)]
    return [chunk for chunk in held_out.chunks(night) if chunk.part in (gate.stage, gate.over)]


def parts(night: Night, gate: Gate) -> dict[str, Any]:
    """The parts of the report that a gate of votes, rows or a stage's answers is about."""
    from tasks import parts  # scipy, which a night without such a gate needs not

    if gate.metric in OF_VOTES:
        return parts.ruled(night) | parts.rows(night)
    if gate.metric in OF_ROWS:
        return parts.rows(night) | parts.taught(night)
    return parts.student(night, [name for name in (gate.over, gate.stage) if name])


def _under(stage: Stage) -> tuple[str, ...]:
    """What a stage builds on: its start, whose drafts it is shown, and for dpo what it is held to and who drafts."""
    return tuple(name for name in (stage.start, stage.draft_of, stage.reference, stage.drafter) if name)


def _judge(night: Night, gate: Gate, shown: Parts) -> GateResult:
    from nightschool.gates import judge
    from nightschool.report.figures import Report

    return judge(gate, Report.model_construct(**shown(night, gate)))
