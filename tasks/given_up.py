"""What a night has given up to end in its window: on file beside it, so that every later run of it does the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from blocks.disk import write_whole, writing
from blocks.store import Store
from nightschool.recipe.falling import fallen
from nightschool.recipe.naming import is_night_name
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.window import Fallback
from nightschool.window import opening
from tasks.ledger import last_run

FILE = "given-up.json"
EVENING = "{evening}"


class Choice(BaseModel):
    """A fallback that was chosen: what it sets, before which phase, and why, as the report is to say it."""

    name: str
    told: str
    sets: dict[str, Any]
    before: str
    when: str
    why: str


class GivenUp(BaseModel):
    """All that a night has given up, in the order in which it did."""

    choices: list[Choice] = Field(default_factory=list)

    @property
    def line(self) -> str:
        """For people, the first line of all that is said of the night; empty where nothing was given up."""
        if not self.choices:
            return ""
        told = " and ".join(f"{one.name} ({one.told})" for one in self.choices)
        return f"Given up to end in the window: {told}. {self.choices[-1].why}"


def given_up(folder: Path) -> GivenUp:
    """What is on file of the night in this folder."""
    try:
        return GivenUp.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        return GivenUp()


def write(store: Store, folder: Path, found: GivenUp) -> None:
    """Puts it on file, also for other machines of the store."""
    with writing(folder):
        write_whole(folder / FILE, found.model_dump_json(indent=1).encode())
    store.mirror(folder / FILE)


def resumed(recipe: Recipe, store: Store, name: str) -> tuple[Recipe, str]:
    """The night that is meant by a name (`tonight`), and the recipe without what it has given up before.

    A choice counts as long as the recipe declares it as it was chosen: whoever changes or removes a fallback takes the
    choice back.
    """
    name = tonight(recipe, store, name)
    if not recipe.fallbacks or not is_night_name(name):
        return recipe, name
    store.bring(f"nights/{name}")
    chosen = {one.name: one.sets for one in given_up(store.root / "nights" / name).choices}
    return without(recipe, [one for one in recipe.fallbacks if chosen.get(one.name) == one.sets]), name


def standing(recipe: Recipe, choices: Sequence[Choice]) -> list[Choice]:
    """The choices that are in effect in a recipe: it is the same with what they set."""
    kept = []
    for one in choices:
        left = fallen(recipe, one.sets)
        kept += [one] if left and left.identity() == recipe.identity() else []
    return kept


def without(recipe: Recipe, chosen: Sequence[Fallback]) -> Recipe:
    """The recipe with fallbacks chosen; of the others, those stay that it can still fall back to."""
    left = recipe
    for one in chosen:
        left = fallen(left, one.sets) or left
    if left is recipe:
        return recipe
    names = {one.name for one in chosen}
    others = [one for one in recipe.fallbacks if one.name not in names]
    alive = [one for one in others if (then := fallen(left, one.sets)) and then.identity() != left.identity()]
    return left.model_copy(update={"fallbacks": tuple(alive)})


def tonight(recipe: Recipe, store: Store, name: str, now: datetime | None = None) -> str:
    """The night that is meant by a name with "{evening}" in it: the last one if it isn't done, else a new one.

    Args:
        now: the moment, unless told otherwise.
    """
    if EVENING not in name:
        return name
    now = now or datetime.now(UTC)
    store.bring("nights")
    dated = re.compile(re.escape(name).replace(re.escape(EVENING), r"(\d{4}-\d\d-\d\d)"))
    found = {match[1]: one for one in store.nights() if (match := dated.fullmatch(one))}
    if found and not last_run(store.root / "nights" / (last := found[max(found)])).whole:
        return last
    return name.replace(EVENING, _evening(recipe, now).isoformat())


def _evening(recipe: Recipe, now: datetime) -> date:
    return opening(recipe.window, now).evening if recipe.window else now.astimezone().date()
