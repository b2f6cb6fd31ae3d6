"""Nights whose pages a browser may open: a shelf of names on file, each with the folder of its night.

A page that came over http opens no file of the disk, so what Prefect's page links to is served, see `flows/pages.py`.
The shelf lies in Prefect's home, which server and workers of one machine share.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from blocks.disk import write_whole, writing

ADDRESS = "NIGHTSCHOOL_PAGES"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}")


def shelf() -> Path:
    """Where the names lie."""
    return Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser() / "pages"


def shown(folder: Path) -> str | None:
    """Puts a night's folder on the shelf: the address of its pages, or None if nobody serves them."""
    address = os.environ.get(ADDRESS)
    if not address:
        return None
    folder = folder.resolve()
    name = f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    with writing(shelf()):
        write_whole(shelf() / name, str(folder).encode())
    return f"{address.rstrip('/')}/{name}/"


def folder_of(name: str) -> Path | None:
    """The folder of a night on the shelf; None if there is none of this name, or it has gone."""
    if not _NAME.fullmatch(name):
        return None
    try:
        folder = Path((shelf() / name).read_text("utf-8"))
    except OSError:
        return None
    return folder if (folder / "night.json").is_file() else None


def names() -> Iterator[str]:
    """The nights that can be looked at, the one that was begun last first."""
    on_shelf = [path.name for path in shelf().glob("*")] if shelf().is_dir() else []
    found = {name: folder for name in on_shelf if (folder := folder_of(name))}
    yield from sorted(found, key=lambda name: (found[name] / "night.json").stat().st_mtime, reverse=True)
