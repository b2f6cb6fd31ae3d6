"""What a student can be taught and measured on, checked across the sections of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.recipe.section import Clash, fill_answer

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


def _choices_are_told(recipe: Recipe) -> None:
    assert recipe.student is not None
    prompts = {("student", "prompt"): recipe.student.prompt}
    taught = [stage for stage in recipe.stages if stage.answers and not stage.loop]  # a loop is asked as its start is
    prompts |= {(stage.kind, "prompt"): stage.prompts["answers"] for stage in taught}
    for where, prompt in prompts.items():
        try:
            fill_answer(prompt)
        except Clash as wrong:
            raise Clash(str(wrong), *where, allowed=wrong.allowed) from None
