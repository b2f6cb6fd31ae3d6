"""Links in a store: a store may come from anywhere, and what is read or written there must lie there."""

from __future__ import annotations

import os
from pathlib import Path

from nightschool.errors import DataError


def is_link(folder: Path, name: str) -> bool:
    """Whether a chunk's file, its folder, or a folder between them leads elsewhere."""
    path = folder / name
    return any(each.is_symlink() for each in (path, *path.parents[: name.count("/") + 1]))


def refuse_links(*paths: Path) -> None:
    """See that nothing that is about to be written would be written elsewhere.

    Raises:
        DataError: one of them is a link.
    """
    for path in paths:
        if path.is_symlink():
            raise DataError("is a link: what a night reads and makes lies in its store", file=path)


def open_own(path: Path, flags: int) -> int:
    """A file descriptor, the file made if it is not there; never of what a link names, which is not ours to change.

    Raises:
        DataError: the file is a link.
        OSError: it can't be opened.
    """
    refuse_links(path)
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
