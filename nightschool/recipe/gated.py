"""Whether a night can measure what its gates are about: asked when the recipe is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.recipe import choosing, quality
from nightschool.recipe.gate import OF_CLASSES, OF_CONTEST, OF_TIMES, Gate
from nightschool.recipe.section import Clash
from nightschool.recipe.timing import TimedKind, timed

if TYPE_CHECKING:
    from nightschool.recipe.recipe import Recipe

_NEEDS_TRUTH = ("committee_gain", "vote_gain", "vote_accuracy")
_NEEDS_CLASSES = ("balanced_accuracy", "worst_class_accuracy")


def check(recipe: Recipe) -> None:
    """That every gate speaks of what this night measures.

    Raises:
        Clash: one does not; names the gate's field.
    """
    for index, gate in enumerate(recipe.gates):
        if gate.stage is not None and recipe.student is None:
            raise Clash(f"gate {gate.name} is about a student, and there is none", "gates", index)
        quality.gated(recipe, gate, index)
        if gate.stage is None and gate.player is None:
            _of_votes_and_rows(recipe, gate, index)
        measured = _measured(recipe, gate, index)
        for field, name in (("stage", gate.stage), ("over", gate.over)):
            if name is not None and name not in measured:
                message = f"gate {gate.name} is about {name}, which this recipe {_lack(gate)}"
                raise Clash(message, "gates", index, field, allowed=", ".join(measured))
        if gate.stage and gate.over and measured.index(gate.over) >= measured.index(gate.stage):
            raise Clash(f"gate {gate.name}: {gate.stage} is not after {gate.over}", "gates", index, "over")


def _of_votes_and_rows(recipe: Recipe, gate: Gate, index: int) -> None:
    def refuse(message: str, field: str = "metric", allowed: str = "") -> None:
        raise Clash(f"gate {gate.name}: {message}", "gates", index, field, allowed=allowed)

    if not recipe.rules:
        raise Clash(f"gate {gate.name} is about a committee, and there is none", "gates", index)
    if gate.metric == "committee_gain" and recipe.answers.reply == "text":
        refuse("by the file's truth every accepted row is right", allowed="vote_gain")
    if gate.metric in _NEEDS_TRUTH and recipe.pool.file is not None and not recipe.pool.has_truth:
        refuse("nobody knows which votes are right: the file has no answers", allowed="agreement, accepted_share")
    if gate.metric == "agreement" and len(recipe.teachers) == 1 and recipe.committee.voters == "teachers":
        refuse("one vote agrees with itself", allowed="abstentions, accepted_share")
    if gate.metric in OF_CLASSES and not recipe.watched:
        refuse("no field's classes are followed", allowed="kept_share, or balance.by")
    if gate.metric == "contamination" and recipe.learner is None:
        refuse("nothing is held out for a student, and there is none")
    if gate.on_failure == "skip" and recipe.learner is None:
        refuse("there is no stage to skip", "on_failure", "fail, stop, warn")


def _measured(recipe: Recipe, gate: Gate, index: int) -> tuple[str, ...]:
    """The stages that a gate can be about."""
    learner = recipe.learner
    if learner is None:
        return ()
    if gate.metric in _NEEDS_CLASSES and not choosing.closed(recipe.answers):
        raise Clash(f"gate {gate.name}: answers are no classes", "gates", index, "metric", allowed="accuracy")
    if not gate.metric.startswith(OF_TIMES):
        return learner.measured
    kind: TimedKind = "questions" if gate.metric.startswith("questions") else "answers"
    contest = learner.validate.contest
    if gate.metric.startswith(OF_CONTEST) and (contest is None or contest.terms(kind) is None):
        raise Clash(f"no contest says how {kind} are timed", "gates", index, "metric",
                    allowed="validate.contest, such as aaipl")  # fmt: skip
    return tuple(stage for of, stage in timed(learner).items() if of == kind)


def _lack(gate: Gate) -> str:
    return "does not time" if gate.metric.startswith(OF_TIMES) else "leaves out"
