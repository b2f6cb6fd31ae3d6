"""From a recipe, a profile and single overrides to one tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nightschool.errors import RecipeError
from nightschool.recipe.explain import close_to
from nightschool.recipe.source import FieldPath, Place, Tree, dotted, parse, read_tree

# What a recipe turns on by naming it. A profile for any recipe changes such a section where there is one.
PHASES = (
    "questions", "review", "filters", "splits", "balance", "critique", "student", "sft", "pairs", "dpo", "validate",
    "arena", "quality", "gates", "package", "ablate", "predict", "tune",
)  # fmt: skip


def profiles(recipe: Path) -> dict[str, Path]:
    """The profiles for a recipe by name: `profiles/NAME.yaml` beside it, or `profiles/RECIPE/NAME.yaml` instead."""
    folder = recipe.parent / "profiles"
    return {file.stem: file for at in (folder, folder / recipe.stem) for file in sorted(at.glob("*.yaml"))}


def with_profiles(tree: Tree, recipe: Path, names: str) -> Tree:
    """A recipe with profiles laid over it, one after the other.

    A profile that is for this recipe alone, or a file, may add a phase; one that is for any recipe leaves out what
    this one does not have.

    Args:
        names: such as "tiny", "h200,fast", or the path of a file.

    Raises:
        RecipeError: there is no profile of that name, or it cannot be read.
    """
    known = profiles(recipe)
    for name in names.split(","):
        file = Path(name) if name.endswith(".yaml") and Path(name).is_file() else known.get(name)
        if file is None:
            folder, allowed = recipe.parent / "profiles", ", ".join(sorted(known)) or "none here"
            message = f"there is no such profile{close_to(name, known)}"
            raise RecipeError(message, file=folder, field="--profile", value=name, allowed=allowed)
        over = read_tree(file)
        shared = file == recipe.parent / "profiles" / file.name
        tree = overlay(tree, _of_its_phases(over, tree) if shared else over)
    return tree


def _of_its_phases(over: Tree, tree: Tree) -> Tree:
    if not isinstance(over.data, dict) or not isinstance(tree.data, dict):
        return over
    return Tree({name: value for name, value in over.data.items() if name in tree.data or name not in PHASES},
                over.places)  # fmt: skip


def overlay(base: Tree, over: Tree) -> Tree:
    """Lay one tree over another.

    Mappings merge at every depth, and one that is laid over a list of mappings over each of them; everything else
    replaces.
    """
    places = dict(base.places)
    return Tree(_merge(base.data, over.data, (), (), over.places, places), places)


def _merge(
    old: object,
    new: object,
    path: FieldPath,
    source: FieldPath,
    news: dict[FieldPath, Place],
    places: dict[FieldPath, Place],
) -> object:
    """`source` is where `new` stands in its own tree: elsewhere than `path` once it is laid over a list."""
    if isinstance(new, dict) and isinstance(old, dict):
        merged = dict(old)
        for name, value in new.items():
            merged[name] = _merge(old.get(name), value, (*path, name), (*source, name), news, places)
        return merged
    if isinstance(new, dict) and isinstance(old, list) and old and all(isinstance(one, dict) for one in old):
        return [_merge(one, new, (*path, place), source, news, places) for place, one in enumerate(old)]
    for each in [each for each in places if each[: len(path)] == path]:
        del places[each]
    depth = len(source)
    places.update({(*path, *each[depth:]): place for each, place in news.items() if each[:depth] == source})
    return new


def override(tree: Tree, text: str) -> Tree:
    """Apply one `--set`: `answers.samples=4`, `teachers.0.name=tom`; the value is read as YAML.

    A field that nobody knows is put in as it stands: validation refuses it, and names what is close.

    Raises:
        RecipeError: no `=`, no YAML after it, a list index that is not there, or a field inside a plain value.
    """
    source = f"--set {text}"
    path_text, equals, value_text = text.partition("=")
    names = path_text.strip().split(".")
    if not equals or not all(names):
        raise RecipeError("an override is FIELD=VALUE", file=source, allowed="for example answers.samples=4")
    return put(tree, names, parse(value_text, source, lines=False))


def put(tree: Tree, names: Sequence[str], value: Tree) -> Tree:
    """The tree with a value at the path of these names; its errors name the place of the value.

    Raises:
        RecipeError: a list index that is not there, or a field inside a plain value.
    """
    source = value.places[()]
    path = _steps(tree.data, names, source)
    data = _put(tree.data, path, value.data)
    kept = {each: place for each, place in tree.places.items() if each[: len(path)] != path}
    for end in range(1, len(path)):
        kept.setdefault(path[:end], source)
    return Tree(data, kept | {(*path, *inner): place for inner, place in value.places.items()})


def _put(old: Any, path: FieldPath, value: object) -> object:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [_put(item, rest, value) if place == step else item for place, item in enumerate(old)]
    known = old or {}
    return {**known, step: _put(known.get(step), rest, value)}


def _steps(data: object, names: Sequence[str], source: Place) -> FieldPath:
    """The names as steps. The one thing in a list is meant where no number says which: it may be written without."""
    path: list[str | int] = []

    def wrong(message: str, **details: Any) -> RecipeError:
        return RecipeError(message, file=source.file, line=source.line, field=dotted(tuple(path)), **details)

    for name in names:
        if isinstance(data, list) and len(data) == 1 and not name.isdecimal():
            path.append(0)
            data = data[0]
        if isinstance(data, list):
            if not (name.isdecimal() and int(name) < len(data)):
                path.append(name)
                raise wrong(
                    "no such place in the list", allowed=f"0 to {len(data) - 1}" if data else "none: it is empty"
                )
            path.append(int(name))
            data = data[int(name)]
            continue
        if data is not None and not isinstance(data, dict):
            raise wrong("there is no field inside a plain value", value=data)
        if data is None and name.isdecimal():
            raise wrong("the recipe does not give this list: set the whole of it")
        path.append(name)
        data = data.get(name) if data else None
    return tuple(path)
