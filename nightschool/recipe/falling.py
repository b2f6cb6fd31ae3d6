"""From a recipe and what it may give up to the recipe that is left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from nightschool.errors import RecipeError
from nightschool.forecast import forecast
from nightschool.recipe.explain import explain
from nightschool.recipe.overlay import put
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.source import FieldPath, Place, Tree, dotted


def fallen(recipe: Recipe, sets: Mapping[str, Any]) -> Recipe | None:
    """The recipe with these fields set, and with no fallbacks; None where no recipe comes of it.

    Args:
        sets: fields by path, each known to be good by itself (`check`).
    """
    tree = Tree(recipe.model_dump(mode="json", by_alias=True), {(): Place("")})
    try:
        for path, value in {**sets, "fallbacks": []}.items():
            tree = put(tree, path.split("."), Tree(value, {(): Place("")}))
        return Recipe.model_validate(tree.data)
    except (ValidationError, RecipeError):
        return None


def check(recipe: Recipe, tree: Tree, schema: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    """Try every fallback of a recipe, each by itself.

    Args:
        tree: what the recipe was read from.
        context: as for the recipe's own validation.

    Raises:
        RecipeError: a fallback leaves no valid recipe or no student, or is of a phase that isn't run; names the line
            that says so.
    """
    phases = [ahead.phase for ahead in forecast(recipe)] if recipe.fallbacks else []
    for index, one in enumerate(recipe.fallbacks):
        at: FieldPath = ("fallbacks", index)
        if one.until is not None and one.until not in phases:
            place = tree.place((*at, "until"))
            raise RecipeError("the recipe runs no such phase", file=place.file, line=place.line,
                              field=dotted((*at, "until")), value=one.until, allowed=", ".join(phases))  # fmt: skip
        found = tree
        for path in one.sets:
            found = put(found, path.split("."), _value(tree, (*at, "sets", path), one.sets[path]))
        assert isinstance(found.data, dict)
        try:
            text = json.dumps({**found.data, "fallbacks": []})
            left = Recipe.model_validate_json(text, strict=True, context=dict(context))
        except ValidationError as err:
            place, wrong = tree.place((*at, "sets")), explain(err, found, dict(schema))
            if str(wrong).startswith(f"{place.file}:{place.line}"):
                raise wrong from None
            message = f"without {one.name} no recipe is left: {wrong}"
            raise RecipeError(message, file=place.file, line=place.line, field=dotted((*at, "sets"))) from None
        if recipe.learner and not left.learner:
            place = tree.place((*at, "sets"))
            message = f"{one.name} leaves the night without a student"
            raise RecipeError(message, file=place.file, line=place.line, field=dotted((*at, "sets")))


def _value(tree: Tree, path: FieldPath, value: object) -> Tree:
    """A value of the tree with its places, as if it stood alone."""
    inner = {each[len(path) :]: place for each, place in tree.places.items() if each[: len(path)] == path}
    return Tree(value, {(): tree.place(path), **inner})
