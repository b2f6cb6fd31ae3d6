"""All steps by phase, in the order of the night."""

from __future__ import annotations

from nightschool.errors import RecipeError
from nightschool.forecast import forecast
from nightschool.recipe.recipe import Recipe
from tasks import (
    ablate,
    answers,
    arena,
    attribute,
    balance,
    challenges,
    committee,
    critique,
    dpo,
    drafts,
    filters,
    merge,
    package,
    pairs,
    pool,
    predict,
    quality,
    questions,
    review,
    rounds,
    school,
    sft,
    splits,
    submission,
    timing,
    validate,
)
from tasks.step import Step

ORDER = (
    school,
    questions,
    pool,
    answers,
    merge,
    committee,
    review,
    filters,
    splits,
    balance,
    critique,
    drafts,
    sft,
    pairs,
    dpo,
    rounds,
    validate,
    timing,
    ablate,
    attribute,
    challenges,
    arena,
    quality,
    package,
    predict,
    submission,
)

STEPS: dict[str, Step] = {module.STEP.phase: module.STEP for module in ORDER}


def phases(recipe: Recipe, phase: str | None = None) -> list[str]:
    """The phases that a recipe runs, in order, or the one that is named.

    Raises:
        RecipeError: there is no such phase.
    """
    if phase is not None and phase not in STEPS:
        raise RecipeError("no such phase", field="--phase", value=phase, allowed=", ".join(STEPS))
    return [phase] if phase else [ahead.phase for ahead in forecast(recipe)]
