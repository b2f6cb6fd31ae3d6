"""From a file to a search."""

from __future__ import annotations

from pathlib import Path

import orjson
from pydantic import ValidationError

from nightschool.recipe.explain import explain
from nightschool.recipe.source import read_tree
from nightschool.recipe.tune import Tune


def load_tune(path: Path) -> Tune:
    """A search in a file of its own: what a recipe has under `tune`.

    Raises:
        RecipeError: the file is not as it must be; names line and field.
    """
    tree = read_tree(path)
    try:
        return Tune.model_validate_json(orjson.dumps(tree.data), strict=True)
    except ValidationError as err:
        raise explain(err, tree, Tune.model_json_schema()) from None
