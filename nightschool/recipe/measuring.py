"""What a student can be taught and measured on, checked across the sections of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.recipe.evaluate import ANSWERED, OF_KIND
from nightschool.recipe.section import Clash, fill_answer
from nightschool.recipe.stages import Stage

if TYPE_CHECKING:
    from nightschool.recipe.recipe import Recipe


def check(recipe: Recipe) -> None:
    """Refuse a student that there is nothing to measure with, or that is not told what it may choose from.

    Raises:
        Clash: with the field to edit.
    """
    section = recipe.validate_
    assert section is not None
    if recipe.answers.reply == "letter":
        _choices_are_told(recipe)
    elif recipe.answers.value == "none":
        raise Clash("nothing is read out of free text, so nobody can tell what is right", "answers", "value",
                    allowed="yes_no, letter, integer, number, latex or text")  # fmt: skip
    if recipe.answers.reply == "text" and section.per_topic is not None:
        raise Clash("the school's questions have choices, and this night answers in free text", "validate", "per_topic",
                    allowed="leave it out: the file's held-out side is asked")  # fmt: skip
    for stage in (one for one in recipe.stages if one.kind in OF_KIND):
        _can_be_asked(recipe, stage)
    _drafts_fit(recipe)
    if section.per_topic is not None:
        if section.limit is not None:
            raise Clash("per_topic says how many questions there are", "validate", "limit", allowed="one of the two")
        return
    if not recipe.pool.has_truth:
        raise Clash("the pool has no file with answers to measure by: say how many questions of the school", "validate",
                    "per_topic", allowed="a whole number, at least 1")  # fmt: skip
    if recipe.splits is None or not getattr(recipe.splits, section.side):
        raise Clash(f"no question of the file is held out for {section.side}", "splits",
                    allowed=f"a splits section with a share for {section.side}")  # fmt: skip
    if any(stage.loop for stage in recipe.stages) and not recipe.splits.validation:
        raise Clash("no question of the file is held out for the gates between rounds", "splits", "validation",
                    allowed="a share above 0")  # fmt: skip
    _proof_is_apart(recipe)


def _drafts_fit(recipe: Recipe) -> None:
    student = recipe.student
    assert student is not None
    room = student.max_model_len or recipe.serve.max_model_len
    if room and any(stage.draft_of for stage in recipe.stages) and 2 * student.max_tokens >= room:
        message = f"a draft and a reply of {student.max_tokens} tokens leave no room for the question: it has {room}"
        raise Clash(message, "student", "max_tokens", allowed=f"less than {room // 2}")


def _proof_is_apart(recipe: Recipe) -> None:
    """That no gate is judged by the rows that a step was chosen by."""
    section, splits = recipe.validate_, recipe.splits
    looked_at = [stage.name for stage in recipe.stages if stage.section.evaluate]
    judged = any(gate.stage for gate in recipe.gates)
    if looked_at and judged and section and section.side == "validation" and splits and splits.validation:
        message = f"gates would be judged by the rows that the step of {looked_at[0]} is chosen by"
        raise Clash(message, "validate", "side", allowed="test, or no gates of a stage")


def _can_be_asked(recipe: Recipe, stage: Stage) -> None:
    how, where = stage.section.evaluate, (stage.kind, "evaluate", "metric_for_best_model")
    if how and how.metric_for_best_model not in OF_KIND[stage.kind]:
        message = f"{stage.kind} has no {how.metric_for_best_model}"
        raise Clash(message, *where, allowed=", ".join(OF_KIND[stage.kind]))
    if how and how.asks and not stage.answers:
        raise Clash(f"{stage.name} learns no answers", *where, allowed=", ".join(OF_KIND[stage.kind][:-1]))
    if how and how.asks and recipe.answers.kind not in ANSWERED:
        message = f"answers of kind {recipe.answers.kind} take mathematics to compare"
        raise Clash(message, *where, allowed=", ".join(OF_KIND[stage.kind][:-1]))


def _choices_are_told(recipe: Recipe) -> None:
    assert recipe.student is not None
    prompts = {("student", "prompt"): recipe.student.prompt}
    taught = [stage for stage in recipe.stages if stage.answers and not stage.loop]  # a loop is asked as its start is
    prompts |= {(stage.kind, "prompt"): stage.prompts["answers"] for stage in taught}
    for where, prompt in prompts.items():
        try:
            fill_answer(prompt, draft=True)
        except Clash as wrong:
            raise Clash(str(wrong), *where, allowed=wrong.allowed) from None
