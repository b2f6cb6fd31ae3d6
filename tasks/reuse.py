"""What a night would use again of the earlier one of its name."""

from __future__ import annotations

import orjson

from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe
from nightschool.reuse import verdicts
from tasks.night import Night
from tasks.steps import phases


def reuse(night: Night) -> dict[str, str]:
    """The verdict of each phase; empty if there was no such night, or none that reads."""
    try:
        keys = orjson.loads((night.dir / "night.json").read_bytes())["keys"]
        old = load_recipe(night.dir / "recipe.resolved.yaml")
    except (OSError, ValueError, KeyError, RecipeError):
        return {}
    return verdicts(old, keys, night.recipe, night.keys, phases(night.recipe))
