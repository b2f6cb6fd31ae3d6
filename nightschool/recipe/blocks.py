"""What a recipe takes from blocks of Prefect's server: fields as if written there, and no secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from nightschool.errors import RecipeError
from nightschool.recipe.source import FieldPath, Tree, dotted

Kind = Literal["endpoint", "server", "trainer", "store", "notifier"]
# Says what a block has, but for its secrets, of which it sees to it that they are found when they are wanted.
Say = Callable[[Kind, str], Mapping[str, Any]]

PREFIX = "block/"
BlockName = Annotated[str, StringConstraints(pattern=r"^block/[a-z0-9][a-z0-9-]{0,62}$")]
# Fields that name a block whose own fields stand beside them; what the recipe says there itself stands.
_BESIDE: tuple[Kind, ...] = ("endpoint", "server", "trainer")


def is_block(value: object) -> bool:
    """Whether a value names a block."""
    return isinstance(value, str) and value.startswith(PREFIX)


def take_in(tree: Tree, say: Say | None) -> Tree:
    """The tree with what its blocks say in it, each at the place of the block's name.

    Raises:
        RecipeError: a block is not there, or can't be asked; names the field.
    """
    if say is None:
        return tree
    asked = _Asked(tree, say)
    data = asked.walk(tree.data, ())
    if isinstance(data, dict):
        if is_block(data.get("store")):
            asked.told("store", str(data["store"]), ("store",))
        for path, name in _notified(data.get("notify")):
            asked.told("notifier", name, ("notify", *path))
    return Tree(data, asked.places)


class _Asked:
    """A tree on its way; `places` takes in those of the fields that blocks say."""

    def __init__(self, tree: Tree, say: Say) -> None:
        self._tree, self._say = tree, say
        self.places = dict(tree.places)

    def told(self, kind: Kind, value: str, path: FieldPath) -> Mapping[str, Any]:
        """What a block says that is named at a path."""
        try:
            return self._say(kind, value.removeprefix(PREFIX))
        except RecipeError as err:
            place = self._tree.place(path)
            raise RecipeError(str(err), file=place.file, line=place.line, field=dotted(path), value=value) from None

    def walk(self, value: object, path: FieldPath) -> object:
        """A value with what the blocks in it say."""
        if isinstance(value, list):
            return [self.walk(item, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        found: dict[str, object] = {}
        for kind in _BESIDE:
            if is_block(value.get(kind)):
                here = (*path, kind)
                found |= self.told(kind, str(value[kind]), here)
                self.places |= {(*path, name): self._tree.place(here) for name in found if name not in value}
        return found | {name: self.walk(item, (*path, name)) for name, item in value.items()}


def _notified(section: object) -> list[tuple[FieldPath, str]]:
    """Every block of the section `notify`, with its place in it."""
    many = enumerate(section) if isinstance(section, list) else [(None, section)]
    found: list[tuple[FieldPath, str]] = []
    for at, one in many:
        to = one.get("to") if isinstance(one, dict) else None
        start = ("to",) if at is None else (at, "to")
        each = [((), to)] if isinstance(to, str) else [((index,), name) for index, name in enumerate(to or ())]
        found += [((*start, *path), name) for path, name in each if is_block(name)]
    return found
