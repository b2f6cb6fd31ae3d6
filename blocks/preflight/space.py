"""Whether the store can be written, has room, and whether servers can listen."""

from __future__ import annotations

import shutil
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path

from blocks.places import folder_of, open_store
from blocks.preflight.check import Check, fail, ok, warn
from blocks.preflight.weights import find_weights, hub_cache
from nightschool.errors import NightError
from nightschool.recipe.recipe import Recipe
from nightschool.report.text import size

_ROWS_AND_LOGS = 300_000_000
# Of the weights, for a stage with an adapter or without, and as much again for a checkpoint beside it.
_ADAPTER_SHARE, _WHOLE_SHARE = 0.05, 3.0


def store_check(store: str | Path) -> Check:
    """A file can be made in the store, or in the folder that it would be made in; it is gone again afterwards."""
    folder = _existing(folder_of(store))
    try:
        with tempfile.TemporaryFile(dir=folder):
            open_store(store).probe()
            return ok("store", f"{store} can be written")
    except NightError as err:
        return fail("store", str(err), "name a store that can be reached")
    except OSError as err:
        return fail("store", f"{folder} cannot be written: {err.strerror or err}", "--set store=FOLDER, or free it")


def disk_checks(recipe: Recipe) -> list[Check]:
    """Room for rows, adapters and made models in the store, and for downloads in the hub's cache."""
    student = (find_weights(recipe.student.model).size or 0) if recipe.student else 0
    shares = sum(2 * (_WHOLE_SHARE if stage.whole else _ADAPTER_SHARE) for stage in recipe.stages)
    checks = [_room("disk", folder_of(recipe.store), _ROWS_AND_LOGS + int(shares * student))]
    downloads = [find_weights(model.model) for model in recipe.models]
    size_of_downloads = sum(each.size or 0 for each in downloads if each.kind == "hub")
    return [*checks, _room("disk for downloads", hub_cache(), size_of_downloads)] if size_of_downloads else checks


def _room(name: str, folder: Path, need: int) -> Check:
    folder = _existing(folder)
    free = shutil.disk_usage(folder).free
    told = f"{size(free)} free at {folder}, about {size(need)} needed"
    if free < need:
        return fail(name, told, "free some, or choose another place (store, HF_HOME)")
    return warn(name, told, "enough for one night, not for many") if free < 2 * need else ok(name, told)


def ports_check(count: int) -> Check:
    """That many servers can listen on loopback at once."""
    with ExitStack() as stack:
        try:
            for _ in range(count):
                stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        except OSError as err:
            return fail("ports", f"cannot listen on 127.0.0.1: {err.strerror or err}", "is loopback up? a sandbox?")
    return ok("ports", f"{count} free on 127.0.0.1")


def _existing(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    return next(each for each in (folder, *folder.parents) if each.is_dir())
