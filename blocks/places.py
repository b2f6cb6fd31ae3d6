"""From the name of a store to the store: a folder of this machine, or a URL that machines share."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from blocks.store import Store

# Where a store at a URL is worked on: training and model servers need files.
WORK = Path("runs")


def is_shared(place: str | Path) -> bool:
    """Whether a store's name is a URL."""
    return "://" in str(place)


def folder_of(place: str | Path) -> Path:
    """The folder of this machine in which a store is worked on."""
    if not is_shared(place):
        return Path(place)
    url = str(place).rstrip("/")
    words = re.sub(r"[^a-z0-9]+", "-", url.lower()).strip("-")[:40]
    return WORK / f"{words}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def open_store(place: str | Path) -> Store:
    """The store of that name.

    Raises:
        RecipeError: it is a URL of a kind for which no package is installed.
    """
    if not is_shared(place):
        return Store(Path(place))
    from blocks.shared import Shared  # fsspec takes a tenth of a second, and most stores are folders

    return Shared(folder_of(place), str(place).rstrip("/"))
