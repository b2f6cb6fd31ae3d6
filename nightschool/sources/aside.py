"""From rows one at a time to rows that are read again, as often as wanted: they lie in a file and in no memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import IO, Generic, TypeVar

from pydantic import BaseModel

from nightschool.errors import WorldError

R = TypeVar("R", bound=BaseModel)

# What is written and read at once; fewer bytes lie nowhere but here.
_BLOCK_BYTES = 1 << 20


class Lines:
    """Lines in a file without a name, which goes when this does; read by any number of readers at once."""

    def __init__(self) -> None:
        self._count = self._bytes = 0
        self._last: list[bytes] = []
        self._file: IO[bytes] | None = None

    def add(self, line: bytes) -> None:
        """Appends a line, with its line end.

        Raises:
            WorldError: there is no room for it.
        """
        self._last.append(line)
        self._count += 1
        self._bytes += len(line)
        if self._bytes >= _BLOCK_BYTES:
            self._write()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        rest, place = b"", 0
        while block := os.pread(self._file.fileno(), _BLOCK_BYTES, place) if self._file else b"":
            place += len(block)
            *lines, rest = (rest + block).split(b"\n")
            yield from (line + b"\n" for line in lines)
        yield from self._last

    def _write(self) -> None:
        try:
            self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when this goes
            self._file.write(b"".join(self._last))
            self._file.flush()
        except OSError as err:
            raise WorldError(f"{tempfile.gettempdir()}: rows cannot be laid aside there: {err.strerror}") from err
        self._last, self._bytes = [], 0


class Aside(Generic[R]):
    """Rows of one kind; `lines` has them as the store does."""

    def __init__(self, kind: type[R]) -> None:
        self._kind = kind
        self.lines = Lines()

    def add(self, row: R) -> None:
        """Appends a row.

        Raises:
            WorldError: there is no room for it.
        """
        self.lines.add(row.model_dump_json().encode() + b"\n")

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[R]:
        return map(self._kind.model_validate_json, self.lines)
