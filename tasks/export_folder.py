"""A folder that an export leaves: whole or not there, and never over what is no export."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blocks.disk import sync_folder
from nightschool.errors import RecipeError, WorldError


@contextmanager
def new_folder(folder: Path, *, force: bool) -> Iterator[Path]:
    """A folder beside it that takes its place when the block ends well; README.md and manifest.json mark it as ours.

    Args:
        force: replace an export that is there already.

    Raises:
        RecipeError: something is there already.
        WorldError: the folder cannot be written.
    """
    if folder.exists() and not (force and _is_ours(folder)):
        hint = "--force" if _is_ours(folder) else "another folder: this one is no export"
        raise RecipeError("is there already", field="--to", value=str(folder), allowed=hint)
    half = folder.with_name(f".{folder.name}.{os.getpid()}.half")
    try:
        half.mkdir(parents=True)
        yield half
        _put(half, folder)
    except OSError as err:
        raise WorldError(f"{folder}: the export cannot be written: {err.strerror or err}") from err
    finally:
        shutil.rmtree(half, ignore_errors=True)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def _put(half: Path, folder: Path) -> None:
    """The folder, in one step; an older one of the same name goes only after that."""
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    half.rename(folder)
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    return (folder / "manifest.json").is_file() and (folder / "README.md").is_file()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
