"""From a recipe's file, a profile and overrides to a Recipe, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from nightschool.errors import RecipeError
from nightschool.recipe.blocks import Say, take_in
from nightschool.recipe.data_file import Bring
from nightschool.recipe.explain import close_to, explain
from nightschool.recipe.falling import check as check_fallbacks
from nightschool.recipe.overlay import override, with_profiles
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.source import RecipeDumper, Tree, read_tree

_BARE_NAME = re.compile(r"[\w-]+")


def recipes(folder: Path) -> list[Path]:
    """The recipes of a folder such as configs/, in order; the registry of models lies beside them and is none."""
    return [file for file in sorted(folder.glob("*.yaml")) if file.name != "models.yaml"]


def find_recipe(name: str) -> Path:
    """A recipe by path, or by its name alone: `quickstart` is `configs/quickstart.yaml`, here or in the checkout.

    Raises:
        RecipeError: neither is there; names the recipes that are.
    """
    if Path(name).is_file() or not _BARE_NAME.fullmatch(name):
        return Path(name)
    folders = [Path("configs"), Path(__file__).parents[2] / "configs"]
    known = {file.stem: file for folder in reversed(folders) for file in recipes(folder)}
    if name in known:
        return known[name]
    raise RecipeError(
        f"there is no such recipe{close_to(name, known)}", value=name, allowed=", ".join(known) or "a path"
    )


def tree_of(path: Path, *, profile: str | None = None, sets: Sequence[str] = ()) -> Tree:
    """A recipe's file with a profile and overrides laid over it, not looked at yet; see `load_recipe`."""
    tree = read_tree(path)
    if profile is not None:
        tree = with_profiles(tree, path, profile)
    for text in sets:
        tree = override(tree, text)
    return tree


def load_recipe(
    path: Path,
    *,
    profile: str | None = None,
    sets: Sequence[str] = (),
    bring: Bring | None = None,
    say: Say | None = None,
) -> Recipe:
    """Read a recipe; all three sources are validated alike, each error names the one its value came from.

    Args:
        path: YAML file; prompt files are named relative to its folder, in a profile and in `sets` too.
        profile: names of partial recipes in `profiles/` beside `path`, with commas, or a file, laid over it in turn.
        sets: `field.path=value`, applied last, in order.
        say: says what blocks of Prefect's server have; without it their names stand, and say nothing.
        bring: has a data set of the hub brought here; without it a recipe that names one is refused.

    Raises:
        RecipeError: anything in it is not as it must be; one line for each field.
    """
    tree = take_in(tree_of(path, profile=profile, sets=sets), say)
    context = {"folder": path.parent, "bring": bring}
    try:
        # As JSON, strictly: a list may become a tuple, but true is no 1 and "4" is no 4.
        recipe = Recipe.model_validate_json(json.dumps(tree.data), strict=True, context=context)
    except ValidationError as err:
        raise explain(err, tree, json_schema()) from None
    check_fallbacks(recipe, tree, json_schema(), context)
    return recipe


def dump_recipe(recipe: Recipe) -> str:
    """Write the recipe with every default and every prompt's text; `load_recipe` reads back an equal one."""
    data = recipe.model_dump(mode="json", by_alias=True)
    return yaml.dump(data, Dumper=RecipeDumper, sort_keys=False, allow_unicode=True, width=120)


@cache
def json_schema() -> dict[str, Any]:
    """The JSON schema of a recipe, for editors; a field marked `execution` is no part of any key."""
    schema = Recipe.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "nightschool recipe"}
