"""Every model of a recipe, with its place in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.recipe.models import Model

if TYPE_CHECKING:
    from nightschool.recipe.recipe import Recipe

Place = tuple[str | int, ...]


def placed(recipe: Recipe) -> list[tuple[Model, Place]]:
    """Teachers, then the student if there is one, and those that only play in the arena or only judge."""
    found: list[tuple[Model, Place]] = [(model, ("teachers", index)) for index, model in enumerate(recipe.teachers)]
    found += [(recipe.student, ("student",))] if recipe.student else []
    rivals = recipe.arena.rivals if recipe.arena else ()
    found += [(model, ("arena", "rivals", index)) for index, model in enumerate(rivals)]
    judges = recipe.quality.models if recipe.quality else ()
    return [*found, *((model, ("quality", "models", index)) for index, model in enumerate(judges))]
