"""From what a person types to a recipe's file."""

from __future__ import annotations

from pathlib import Path

from nightschool.errors import RecipeError

CONFIGS = Path(__file__).parents[2] / "configs"


def find_recipe(text: str) -> Path:
    """A path to a file as it is, else the recipe of that name in configs/.

    Raises:
        RecipeError: neither is there; lists the recipes that are.
    """
    here, named = Path(text), CONFIGS / f"{text}.yaml"
    if here.is_file():
        return here
    if "/" not in text and named.is_file():
        return named
    raise RecipeError("no such recipe", file=text, allowed=f"a YAML file, or one of {', '.join(recipes())}")


def recipes() -> list[str]:
    """Names of the recipes that come with the project."""
    return sorted(path.stem for path in CONFIGS.glob("*.yaml"))
