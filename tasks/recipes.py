"""A recipe by its name, with what it takes from blocks, and the data that it names on the hub brought here."""

from __future__ import annotations

from collections.abc import Sequence

from blocks.hub import bring
from blocks.said import say
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe


def read_recipe(name: str, *, profile: str | None = None, sets: Sequence[str] = ()) -> Recipe:
    """The recipe of this name or path, as `load_recipe` reads it.

    Raises:
        RecipeError: there is no such recipe, or anything in it is not as it must be.
        WorldError: its data can't be brought from the hub, or Prefect's server be asked for its blocks.
    """
    return load_recipe(find_recipe(name), profile=profile, sets=sets, bring=bring, say=say)
