"""Nights whose pages a browser may open: a shelf of names on file, each with the folder of its night.

A page that came over http opens no file of the disk, so what Prefect's page links to is served, see `flows/pages.py`.
The shelf lies in Prefect's home, which server and workers of one machine share. A file's first line is the folder, its
second the store's name: where machines share it, what is decided on a page is for all of them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from blocks.disk import write_whole, writing
from blocks.places import is_shared

ADDRESS = "NIGHTSCHOOL_PAGES"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}")


def shelf() -> Path:
    """Where the names lie."""
    return Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser() / "pages"


def shown(folder: Path, store: str) -> str | None:
    """Puts a night's folder on the shelf: the address of its pages, or None if nobody serves them.

    Args:
        store: what opens the night's store again.
    """
    address = os.environ.get(ADDRESS)
    if not address:
        return None
    folder = folder.resolve()
    name = f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    with writing(shelf()):
        write_whole(shelf() / name, f"{folder}\n{store if is_shared(store) else folder.parents[1]}".encode())
    return f"{address.rstrip('/')}/{name}/"


def folder_of(name: str) -> Path | None:
    """The folder of a night on the shelf; None if there is none of this name, or it has gone."""
    found = _lines(name)
    return found[0] if found and (found[0] / "night.json").is_file() else None


def store_of(name: str) -> str | None:
    """What opens the store of a night on the shelf; None if there is none of this name."""
    found = _lines(name)
    return found[1] if found else None


def _lines(name: str) -> tuple[Path, str] | None:
    """Folder and store."""
    if not _NAME.fullmatch(name):
        return None
    try:
        folder, _, store = (shelf() / name).read_text("utf-8").partition("\n")
    except OSError:
        return None
    return (Path(folder), store) if store else None


def names() -> Iterator[str]:
    """The nights that can be looked at, the one that was begun last first."""
    on_shelf = [path.name for path in shelf().glob("*")] if shelf().is_dir() else []
    found = {name: folder for name in on_shelf if (folder := folder_of(name))}
    yield from sorted(found, key=lambda name: (found[name] / "night.json").stat().st_mtime, reverse=True)
