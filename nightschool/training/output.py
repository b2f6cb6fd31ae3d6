"""From a trained model to its directory, which is there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from nightschool.errors import DataError, WorldError


def check_output(path: Path) -> None:
    """Refuse an output that is there already.

    Raises:
        DataError: something is there.
    """
    if path.exists():
        raise DataError("output is there already", file=path)


@contextmanager
def new_directory(path: Path, *, ours: bool = True) -> Iterator[Path]:
    """A hidden directory beside `path` that becomes `path` when the block ends well, and is removed when not.

    What killed processes left beside it is swept first. `ours`: False in a process that another one writes for.

    Raises:
        WorldError: it cannot be made, or something came to `path` meanwhile.
    """
    prefix = f".{path.name}.partial-"
    partial = path.parent / f"{prefix}{os.getpid()}"
    if not ours:
        yield partial
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.iterdir():
            owner = left.name.removeprefix(prefix)
            if owner != left.name and owner.isdigit() and not psutil.pid_exists(int(owner)):
                shutil.rmtree(left, ignore_errors=True)
        partial.mkdir()
    except OSError as error:
        raise WorldError(f"{partial}: cannot be made: {error.strerror}") from error
    try:
        yield partial
        try:
            partial.rename(path)
        except OSError as error:
            raise WorldError(f"{path}: cannot be put in place: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
