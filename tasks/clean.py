"""The store made smaller: nights and chunks that are too old or too many, and never what a night that stays needs."""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from blocks.disk import writing
from blocks.picked import PICKED
from blocks.places import is_shared, open_store
from blocks.store import Store
from nightschool.errors import RecipeError
from nightschool.identity import KEY_CHARS
from nightschool.retention import Choice, Held, HeldNight, choose
from tasks.steps import STEPS

DAY_S, GB = 86_400, 10**9
# Half-removed folders wait here for the next time, where they can't be taken for whole ones.
_GOING = ".going"
_KEY = re.compile(rf"\b[0-9a-f]{{{KEY_CHARS}}}\b")
_SOURCE = re.compile(r'"folder": ?"([^"]+)"')


def look(
    place: str, *, now: float, older_than_days: float | None, at_most_gb: float | None, keep: Collection[str] = ()
) -> Choice:
    """What would go of the store; nothing is touched. Nights in `keep`, and those that run, stay.

    Raises:
        RecipeError: neither age nor size is given; machines share the store; a night to keep is not there.
    """
    if older_than_days is None and at_most_gb is None:
        raise RecipeError("what is too old, or too much? nothing goes by itself", field="--older-than, --at-most")
    if is_shared(place):
        why = "machines share it, and none knows what the others need: let its bucket's own rules do it"
        raise RecipeError(why, field="--store", value=place)
    store = open_store(place)
    known = store.nights()
    for name in keep:
        if name not in known:
            raise RecipeError("no such night", field="--keep", value=name, allowed=", ".join(known) or "none")
    before = None if older_than_days is None else now - older_than_days * DAY_S
    most_bytes = None if at_most_gb is None else round(at_most_gb * GB)
    folders = list(_folders(store))
    nights = list(_nights(store, {one.name for one in folders}, keep))
    return choose(nights, folders, before=before, most_bytes=most_bytes)


def remove(place: str, choice: Choice) -> int:
    """Removes what was chosen; what somebody came to need meanwhile stays. Bytes that were freed."""
    store = open_store(place)
    waiting = store.root / _GOING
    shutil.rmtree(waiting, ignore_errors=True)
    freed = 0
    with writing(waiting):
        for one in choice.nights:
            folder = store.root / "nights" / one.name
            with _alone(folder) as alone:
                freed += one.bytes * (alone and _remove(folder, waiting))
        names = {one.name for one in _folders(store)}
        needed = {name for one in _nights(store, names, ()) for name in one.needs}
        for one in choice.folders:
            if one.name not in needed:
                freed += _remove(store.root / one.name, waiting) * one.bytes
        shutil.rmtree(waiting)
    return freed


@contextmanager
def _alone(night: Path) -> Iterator[bool]:
    """Whether nobody runs the night; nobody begins it meanwhile."""
    lock = night / "lock"
    if not lock.is_file():
        yield True
        return
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _remove(folder: Path, waiting: Path) -> bool:
    if not folder.is_dir():
        return False
    gone = waiting / f"{folder.parent.name}-{folder.name}"
    folder.replace(gone)
    shutil.rmtree(gone)
    return True


def _folders(store: Store) -> Iterator[Held]:
    """The chunks of every key, of every phase."""
    for phase in STEPS:
        for folder in sorted((store.root / phase).glob("*/")):
            yield _held(folder, f"{phase}/{folder.name}")


def _nights(store: Store, folders: Collection[str], keep: Collection[str]) -> Iterator[HeldNight]:
    for name in store.nights():
        folder = store.root / "nights" / name
        one = _held(folder, name)
        with _alone(folder) as alone:
            yield HeldNight(name, one.used, one.bytes, _needs(store, folder, folders), not alone or name in keep)


def _needs(store: Store, night: Path, folders: Collection[str]) -> frozenset[str]:
    """Every folder whose key stands in what is on file of a night, and those in which rows of these lie."""
    files = (night / name for name in ("night.json", "recipe.resolved.yaml"))
    keys = {key for file in files if file.is_file() for key in _KEY.findall(file.read_text("utf-8"))}
    found = {name for name in folders if name.partition("/")[2] in keys}
    ahead = list(found)
    while ahead:
        for file in (store.root / ahead.pop()).glob(f"*.{PICKED}"):
            new = set(_SOURCE.findall(file.read_text("utf-8"))) - found
            found |= new
            ahead += new
    return frozenset(found)


def _held(folder: Path, name: str) -> Held:
    states = [path.stat() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    used = max((state.st_mtime for state in states), default=folder.stat().st_mtime)
    return Held(name, used, sum(state.st_size for state in states))
