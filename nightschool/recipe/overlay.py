"""From a recipe, a profile and single overrides to one tree."""

from __future__ import annotations

from pathlib import Path

from nightschool.errors import RecipeError
from nightschool.recipe.explain import close_to
from nightschool.recipe.source import FieldPath, Place, Tree, child, dotted, parse, read_tree


def read_profile(recipe: Path, name: str) -> Tree:
    """Read `profiles/NAME.yaml` beside a recipe, or a file by its path.

    Raises:
        RecipeError: there is no profile of that name, or it cannot be read.
    """
    if name.endswith(".yaml") and Path(name).is_file():
        return read_tree(Path(name))
    folder = recipe.parent / "profiles"
    known = sorted(file.stem for file in folder.glob("*.yaml")) if folder.is_dir() else []
    if name not in known:
        message = f"there is no such profile{close_to(name, known)}"
        raise RecipeError(message, file=folder, field="--profile", value=name, allowed=", ".join(known) or "none here")
    return read_tree(folder / f"{name}.yaml")


def overlay(base: Tree, over: Tree) -> Tree:
    """Lay one tree over another: mappings merge at every depth, everything else replaces."""
    places = dict(base.places)
    return Tree(_merge(base.data, over.data, (), over.places, places), places)


def _merge(
    old: object, new: object, path: FieldPath, news: dict[FieldPath, Place], places: dict[FieldPath, Place]
) -> object:
    if isinstance(old, dict) and isinstance(new, dict):
        merged = dict(old)
        for name, value in new.items():
            merged[name] = _merge(old.get(name), value, (*path, name), news, places)
        return merged
    for each in [each for each in places if each[: len(path)] == path]:
        del places[each]
    places.update({each: place for each, place in news.items() if each[: len(path)] == path})
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
    value = parse(value_text, source, lines=False)
    path: FieldPath = ()
    places = {(): Place(source)}
    data = _put(tree.data, names, value.data, path, source)
    path = _typed_path(data, names)
    kept = {each: place for each, place in tree.places.items() if each[: len(path)] != path}
    for end in range(1, len(path)):
        kept.setdefault(path[:end], places[()])
    return Tree(data, kept | {(*path, *inner): place for inner, place in value.places.items()})


def _put(old: object, names: list[str], value: object, path: FieldPath, source: str) -> object:
    if not names:
        return value
    name, rest = names[0], names[1:]
    if isinstance(old, list):
        if not (name.isdecimal() and int(name) < len(old)):
            allowed = f"0 to {len(old) - 1}" if old else "none, the list is empty"
            raise RecipeError("no such place in the list", file=source, field=dotted((*path, name)), allowed=allowed)
        index = int(name)
        return [_put(item, rest, value, (*path, i), source) if i == index else item for i, item in enumerate(old)]
    if old is not None and not isinstance(old, dict):
        raise RecipeError("there is no field inside a plain value", file=source, field=dotted(path), value=old)
    if old is None and name.isdecimal():
        raise RecipeError("the recipe does not give this list: set the whole of it", file=source, field=dotted(path))
    known = old or {}
    return {**known, name: _put(known.get(name), rest, value, (*path, name), source)}


def _typed_path(data: object, names: list[str]) -> FieldPath:
    path: list[str | int] = []
    for name in names:
        step: str | int = int(name) if isinstance(data, list) else name
        path.append(step)
        data = child(data, step)
    return tuple(path)
