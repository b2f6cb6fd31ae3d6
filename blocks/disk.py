"""Files that are whole or not there, and what their bytes are."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from nightschool.errors import WorldError

# A file that was written this lately may be written again within the same tick of the file system's clock (4 ms).
_SETTLED_NS = 1_000_000_000


def write_whole(path: Path, data: bytes) -> None:
    """The file with all of `data`, or as it was before: written beside it, synced, renamed."""
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    try:
        with half.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """After this, names in the folder outlive a power cut, not only what stands behind them."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Makes the folder; a disk that is full or read-only becomes a WorldError that names it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as err:
        raise WorldError(f"{folder}: the store cannot be written: {err.strerror or err}") from err


def mark_of(path: Path) -> tuple[int, str] | None:
    """Size in bytes and SHA-256 of a file, read anew only when it was touched; None if there is none."""
    try:
        found = path.stat()
        if not path.is_file():
            return None
        if abs(time.time_ns() - found.st_mtime_ns) < _SETTLED_NS:
            return found.st_size, _digest(path)
        return found.st_size, _digest_once(path, found.st_size, found.st_mtime_ns, found.st_ino)
    except OSError:
        return None


@lru_cache(maxsize=1 << 16)
def _digest_once(path: Path, size: int, mtime_ns: int, inode: int) -> str:
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
