"""The row journal of a chunk being made: every reply on disk the moment it arrives."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from nightschool.errors import WorldError
from nightschool.wire import Reply

_SYNC_EVERY_S = 1.0


class Journal:
    """Append-only lines of replies; a torn last line is cut off when it is opened.

    A line is one write() at once, so a killed process loses nothing; a thread calls fsync at most once a second,
    so a power cut loses at most that.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._dirty = threading.Event()
        self._closed = threading.Event()

    def __enter__(self) -> Journal:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            os.ftruncate(self._fd, whole_bytes(self._path))
        except OSError as err:
            raise WorldError(f"{self._path}: journal cannot be opened: {err.strerror}") from None
        self._thread = threading.Thread(target=self._sync, name=f"fsync {self._path.name}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._dirty.set()
        self._thread.join()
        os.fsync(self._fd)
        os.close(self._fd)

    def append(self, reply: Reply) -> None:
        """Puts one reply on file.

        Raises:
            WorldError: the disk is full or gone; the half line is cut off again.
        """
        line = reply.model_dump_json().encode() + b"\n"
        size = os.fstat(self._fd).st_size
        try:
            written = os.write(self._fd, line)
            if written != len(line):
                raise OSError("disk full")
        except OSError as err:
            os.ftruncate(self._fd, size)
            raise WorldError(f"{self._path}: journal cannot be written: {err}") from None
        self._dirty.set()

    def _sync(self) -> None:
        while not self._closed.is_set():
            self._dirty.wait()
            self._dirty.clear()
            os.fsync(self._fd)
            self._closed.wait(_SYNC_EVERY_S)


def whole_bytes(path: Path) -> int:
    """Bytes up to the end of the last line that reads as a reply."""
    total = 0
    for line in _lines(path):
        if _read(line) is None:
            break
        total += len(line)
    return total


def replies(path: Path) -> Iterator[Reply]:
    """The replies on file, in order of arrival, up to the first line that is torn."""
    for line in _lines(path):
        reply = _read(line)
        if reply is None:
            return
        yield reply


def _lines(path: Path) -> Iterator[bytes]:
    if path.exists():
        with path.open("rb") as file:
            yield from file


def _read(line: bytes) -> Reply | None:
    if not line.endswith(b"\n"):
        return None
    try:
        return Reply.model_validate_json(line)
    except ValidationError:
        return None
