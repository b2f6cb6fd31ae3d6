"""What a night waits for before it begins: other nights of its store, or a phase of one."""

from __future__ import annotations

from pathlib import Path

import orjson

from blocks.disk import write_whole, writing
from nightschool.errors import NightError, RecipeError
from tasks.ledger import last_run
from tasks.night import Night
from tasks.steps import STEPS
from tasks.turn import at

_FILE = "after.json"


def lacking(night: Night) -> list[str]:
    """What the night waits for and is not there yet, in words.

    Raises:
        RecipeError: a night or phase is unknown, or nights wait for each other in a circle.
    """
    found: list[str] = []
    for awaited in night.recipe.order.after:
        name, _, phase = awaited.partition("/")
        _no_circle(night, [night.name, name])
        found += _missing(night, name, phase)
    return found


def note(night: Night) -> None:
    """Puts on file what the night waits for, so that others see a circle."""
    if night.recipe.order.after or (night.dir / _FILE).exists():
        with writing(night.dir):
            write_whole(night.dir / _FILE, orjson.dumps(night.recipe.order.after))


def _no_circle(night: Night, way: list[str]) -> None:
    if way[-1] in way[:-1]:
        raise RecipeError("nights wait for each other in a circle", field="order.after", value=" -> ".join(way))
    for awaited in _after(night.dir.parent / way[-1]):
        _no_circle(night, [*way, awaited.partition("/")[0]])


def _after(folder: Path) -> list[str]:
    try:
        found = orjson.loads((folder / _FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return []
    return [str(one) for one in found] if isinstance(found, list) else []


def _missing(night: Night, name: str, phase: str) -> list[str]:
    """Why a night, or a phase of it, is not whole; nothing if it is."""
    folder = night.dir.parent / name
    if (folder / "running.json").exists() and not (folder / "night.json").exists():
        return [f"night {name}, which waits itself"]
    try:
        other = Night.open(night.store.place, name).at_a_glance
    except RecipeError as err:
        raise RecipeError(f"order.after: {err}") from None
    if phase:
        if phase not in STEPS:
            raise RecipeError("there is no such phase", field="order.after", value=phase, allowed=", ".join(STEPS))
        chunks = STEPS[phase].chunks(other)
        whole = bool(chunks) and len(other.made(chunks)) == len(chunks)
    else:
        run = last_run(other.dir)
        whole = run.whole and run.stopped_by is None
    return [] if whole else [f"{phase + ' of ' if phase else ''}night {name}, which {_state(other)}"]


def _state(other: Night) -> str:
    from tasks.status import status

    if not other.running:
        return f"does not run now: nightschool rerun {other.name}{other.where}"
    try:
        return at(status(other))
    except NightError:
        return "runs"
