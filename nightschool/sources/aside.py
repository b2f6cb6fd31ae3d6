"""From rows one at a time to rows that are read again, as often as wanted: they lie in a file and in no memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from io import BytesIO
from typing import Generic, TypeVar

from pydantic import BaseModel

from nightschool.errors import WorldError

R = TypeVar("R", bound=BaseModel)

_BLOCK_BYTES = 1 << 20


class Lines:
    """Lines in a file without a name, which goes when this does; read by any number of readers at once."""

    def __init__(self) -> None:
        self._count = 0
        self._file = tempfile.TemporaryFile(buffering=_BLOCK_BYTES)  # noqa: SIM115 - it is closed when this goes

    def add(self, line: bytes) -> None:
        """Appends a line, with its line end.

        Raises:
            WorldError: there is no room for it.
        """
        try:
            self._file.write(line)
        except OSError as err:
            raise self._full(err) from err
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        try:
            self._file.flush()
        except OSError as err:
            raise self._full(err) from err
        rest, place = b"", 0
        while block := os.pread(self._file.fileno(), _BLOCK_BYTES, place):
            place += len(block)
            lines = BytesIO(rest + block)
            rest = b""
            for line in lines:
                if line.endswith(b"\n"):
                    yield line
                else:
                    rest = line

    def _full(self, err: OSError) -> WorldError:
        return WorldError(f"{tempfile.gettempdir()}: rows cannot be laid aside there: {err.strerror}")


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
