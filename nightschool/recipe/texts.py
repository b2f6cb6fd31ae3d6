"""From a stage's own prompts and those before it to the one of each lesson."""

from __future__ import annotations

from collections.abc import Mapping

from nightschool.prompts import Prompt
from nightschool.recipe.learning import Dpo, Lesson, Sft
from nightschool.recipe.section import Clash, fill, fill_answer


def texts_of(
    section: Sft | Dpo,
    teaches: Mapping[Lesson, float],
    inherited: Mapping[Lesson, Prompt],
    common: Mapping[Lesson, Prompt],
    where: tuple[str, int],
) -> dict[Lesson, Prompt]:
    """Every prompt under which a stage may be asked: its own, else those of the stage that it begins with.

    Args:
        where: the stage's place in the recipe.

    Raises:
        Clash: a prompt that cannot be filled, or a lesson that nothing makes.
    """
    given: dict[Lesson, Prompt] = {}
    if isinstance(section.prompt, Prompt):
        if len(teaches) > 1:
            raise Clash("there is one prompt for several lessons", *where, "prompt", allowed="one for each lesson")
        given = dict.fromkeys(teaches, section.prompt)
    elif section.prompt:
        given = dict(section.prompt)
    for lesson, prompt in given.items():
        try:
            _fill(lesson, prompt)
        except Clash as wrong:
            raise Clash(str(wrong), *where, "prompt", allowed=wrong.allowed) from None
    if missing := [lesson for lesson in teaches if lesson not in common]:
        section_ = {"questions": "questions", "critiques": "critique"}[missing[0]]
        raise Clash(f"{missing[0]} are taught, and there is no {section_} section to make them", *where, "teaches")
    return {**common, **inherited, **given}


def draft_of(section: Sft | Dpo, prompt: Prompt, before: str, found: Mapping[str, str], where: tuple[str, int]) -> str:
    """Whose draft a stage's prompt for answers shows: "base", a stage, or "" where it shows none.

    Args:
        before: whose the stage that it begins with shows.
        found: of the base and every earlier stage, whose that one shows.

    Raises:
        Clash: nobody is named for a prompt that shows a draft, or somebody who cannot draft.
    """
    name = section.draft_of or before
    field, allowed = (*where, "draft_of"), ", ".join(one for one, shown in found.items() if not shown)
    if not prompt.shows_draft:
        if section.draft_of:
            raise Clash("the prompt has no $draft that would show it", *field, allowed="leave it out, or add $draft")
        return ""
    if not name:
        raise Clash("the prompt shows $draft, and nobody is named who drafts", *field, allowed=allowed)
    if name not in found:
        raise Clash(f"{name} is no earlier stage", *field, allowed=allowed)
    if found[name]:
        raise Clash(f"{name} is itself shown a draft, by {found[name]}", *field, allowed=allowed)
    return name


def _fill(lesson: Lesson, prompt: Prompt) -> None:
    if lesson == "answers":
        fill_answer(prompt, choices=False, draft=True)
    elif lesson == "questions":
        fill(prompt, {"topic", "hint", "example"}, set() if "$example" in prompt.user else {"topic"})
    else:
        fill(prompt, {"question", "solution", "topic"}, {"question", "solution"})
