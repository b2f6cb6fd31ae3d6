"""From the name of a store to the store: a folder of this machine, or a URL that machines share."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from blocks.said import secrets_of
from blocks.store import Store
from nightschool.errors import RecipeError
from nightschool.recipe.address import says_secret
from nightschool.recipe.blocks import is_block

# Where a store at a URL is worked on: training and model servers need files.
WORK = Path("runs")


def is_shared(place: str | Path) -> bool:
    """Whether a store's name is a URL, or a block's, which may say one."""
    return "://" in str(place) or is_block(str(place))


def folder_of(place: str | Path) -> Path:
    """The folder of this machine in which a store is worked on."""
    url = secrets_of("store", str(place))["url"] if is_block(str(place)) else str(place)
    if "://" not in url:
        return Path(url)
    url = url.rstrip("/")
    words = re.sub(r"[^a-z0-9]+", "-", url.lower()).strip("-")[:40]
    return WORK / f"{words}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def open_store(place: str | Path) -> Store:
    """The store of that name.

    Raises:
        RecipeError: it is a URL with a password in it, or of a kind for which no package is installed; there is no
            such block.
        WorldError: Prefect's server does not answer.
    """
    options: dict[str, Any] = secrets_of("store", str(place)) if is_block(str(place)) else {"url": str(place)}
    url = str(options.pop("url")).rstrip("/")
    if says_secret(url):
        raise RecipeError("a store's address holds no password and no token: it is written down", field="store")
    if "://" not in url:
        return Store(Path(url))
    from blocks.shared import Shared  # fsspec takes a tenth of a second, and most stores are folders

    return Shared(folder_of(url), url, str(place).rstrip("/"), options.pop("options", {}) | options)
