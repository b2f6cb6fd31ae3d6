"""From two recipes to every field that differs, and whether it decides what is made or only how long that takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from nightschool.prompts import Prompt
from nightschool.recipe.data_file import DataFile
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.section import Section, is_execution


class Difference(BaseModel):
    """A field by its path, with both values as JSON; a list's parts go by their names: `teachers.alba.model`.

    `decides`: it is part of a key, so that what depends on it is made anew; otherwise only the wall clock knows it.
    A section or a part that one side lacks is None there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    before: Any
    after: Any
    decides: bool


def differences(before: Recipe, after: Recipe) -> tuple[Difference, ...]:
    """Every field that differs, in the recipe's order, those that decide what is made first."""
    found = tuple(_differences("", before, after, True))
    return tuple(sorted(found, key=lambda one: not one.decides))


def _differences(path: str, old: Any, new: Any, decides: bool) -> Iterator[Difference]:
    if isinstance(old, (Section, Prompt)) and type(old) is type(new) and not isinstance(old, DataFile):
        for name, info in type(old).model_fields.items():
            # A prompt is its words, wherever its file lies.
            still = decides and not is_execution(info) and not (isinstance(old, Prompt) and name == "file")
            yield from _differences(f"{path}.{info.alias or name}".lstrip("."), getattr(old, name), getattr(new, name),
                                    still)  # fmt: skip
    elif isinstance(old, tuple) and isinstance(new, tuple) and _named(old) and _named(new):
        yield from _parts(path, old, new, decides)
    elif _plain(old) != _plain(new):
        same = isinstance(old, DataFile) and isinstance(new, DataFile) and old.identity() == new.identity()
        yield Difference(field=path, before=_plain(old), after=_plain(new), decides=decides and not same)


def _parts(path: str, old: Sequence[Any], new: Sequence[Any], decides: bool) -> Iterator[Difference]:
    """Of lists whose parts have names; one is mostly written without a list around it."""
    before, after = ({one.name: one for one in parts} for parts in (old, new))
    if len(old) == len(new) == 1:
        yield from _differences(path, old[0], new[0], decides)
        return
    for name in dict.fromkeys([*before, *after]):
        yield from _differences(f"{path}.{name}", before.get(name), after.get(name), decides)
    common = [[name for name in names if name in before and name in after] for names in (before, after)]
    if common[0] != common[1]:
        yield Difference(field=f"{path}: their order", before=list(before), after=list(after), decides=decides)


def _named(parts: Sequence[Any]) -> bool:
    names = [getattr(one, "name", None) for one in parts if isinstance(one, Section)]
    return len(names) == len(parts) == len(set(names)) and None not in names


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, dict) else value
