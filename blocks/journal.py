"""The row journal of a chunk being made: every reply on disk the moment it arrives.

A line is a JSON array of the reply's checksum and the reply: `["1f0c88a2",{"id":"q-7",...}]`. The checksum tells a
torn line and a flipped byte from a good line; what does not check is skipped, and its row is asked again.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import orjson
from pydantic import ValidationError

from blocks.disk import write_whole
from blocks.links import open_own
from blocks.packed import unpack
from blocks.scribe import scribe
from nightschool.errors import DataError, WorldError
from nightschool.wire import Reply

# Seeds every checksum, so that lines of another version do not check and are asked again. Raise it when Reply can no
# longer read its old lines: tests/blocks/test_journal.py holds one.
VERSION = 1

# Bytes that must be free: about as much as a few hundred requests in flight bring back.
_ROOM = 1024**2

# Of one chunk: far more than its replies ever take, and less than a machine has memory; a megabyte can be packed zeros.
_MOST_UNPACKED = 1 << 32

_HEAD, _ID_AT = len('["1f0c88a2",'), len('["1f0c88a2",{"id":"')


class Journal:
    """Append-only lines of replies; `replies` are those that were on file when it was opened.

    A line is with the kernel when it is appended, so a killed process loses only what was in flight; the disk has it
    after 100 rows or a second, so a power cut loses at most that.
    """

    def __init__(self, path: Path, earlier: bytes = b"") -> None:
        """`earlier` has lines of other journals; they come before its own."""
        self._path, self._earlier = path, earlier
        self.replies = OnFile(path, b"")

    def __enter__(self) -> Journal:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fd = open_own(self._path, os.O_RDWR | os.O_APPEND)
            self.replies = OnFile(self._path, self._earlier + self._path.read_bytes())
            whole = self.replies.whole - len(self._earlier)
            # A full disk is told before anything is asked: what comes back then would be paid for and lost.
            os.posix_fallocate(fd, whole, _ROOM)
            os.ftruncate(fd, whole)
            scribe().failure = None
        except OSError as err:
            raise WorldError(f"{self._path}: journal cannot be opened: {err.strerror}") from None
        self._file = scribe().open(fd)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failure = self._file.close()
        if failure and error is None:
            raise self._failed(failure)

    def append(self, reply: Reply) -> None:
        """Hands one reply to the kernel.

        Raises:
            WorldError: it could not be written, the disk is full or gone; the half line is cut off.
        """
        self.check(alone=True)
        self._file.put(as_line(reply))
        self.check(alone=True)

    def check(self, *, alone: bool = False) -> None:
        """Whether replies can be kept here and, unless `alone`, in the process's other journals.

        Raises:
            WorldError: a line could not be written.
        """
        if failure := self._file.failure or (None if alone else scribe().failure):
            raise self._failed(failure)

    def _failed(self, failure: OSError) -> WorldError:
        return WorldError(f"{self._path}: journal cannot be written: {failure.strerror or failure}")


class OnFile(Mapping[str, Sequence[Reply]]):
    """A row's replies by its id, in order of arrival; a row whose lines are all damaged has none.

    A line is checked and parsed when its row is looked at: a resumed chunk knows in one read what it need not ask,
    and has looked at every row before it is whole. `whole`: bytes up to the end of the last line that is not torn.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self._path, self._data = path, data
        # Numbers, and no list for each row: the garbage collector looks through lists, again and again.
        self._first: dict[str, int] = {}
        self._more: dict[str, tuple[int, ...]] = {}
        self.whole = self._find()

    def lines(self, row_id: str) -> bytes:
        """A row's lines as they are, unchecked."""
        places = self._first[row_id], *self._more.get(row_id, ())
        return b"".join(self._data[at : self._data.find(b"\n", at) + 1] for at in places)

    def __getitem__(self, row_id: str) -> Sequence[Reply]:
        try:
            return [Reply.model_validate_json(body) for body in good(self.lines(row_id))]
        except ValidationError as err:
            message = f"the reply to {row_id} checks but does not read: {err.errors()[0]['msg']}"
            raise DataError(message, file=self._path) from None

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._first

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def _find(self) -> int:
        """Where each row's lines begin; returns where the last line ends."""
        data, find, first, start = self._data, self._data.find, self._first, 0
        while (end := find(b"\n", start)) >= 0:
            # The id is what a reply begins with; checking and parsing the rest can wait.
            at = start + _ID_AT
            if (close := find(b'"', at, end)) > 0:
                raw = data[at:close]
                row_id = raw.decode("utf-8", "replace") if b"\\" not in raw else _id(data[start:end])
                if row_id and first.setdefault(row_id, start) != start:
                    self._more[row_id] = *self._more.get(row_id, ()), start
            start = end + 1
        return start


def replies(path: Path) -> Iterator[Reply]:
    """The good replies in a journal, or in the packed one of a chunk that was whole; row by row."""
    for of_row in on_file(path).values():
        yield from of_row


def on_file(path: Path) -> OnFile:
    """The same, by row."""
    return _unpacked(path) or OnFile(path, b"".join(packed_lines(path)))


def _unpacked(path: Path) -> OnFile:
    try:
        return OnFile(path, path.read_bytes())
    except FileNotFoundError:
        return OnFile(path, b"")


def packed(path: Path) -> Path:
    """Where a journal lies once its chunk is whole."""
    return path.with_name(f"{path.name}.zst")


def packed_lines(path: Path) -> Iterator[bytes]:
    """As many lines of the packed journal as can be unpacked; none if there is no such file."""
    left = _MOST_UNPACKED
    with suppress(DataError, FileNotFoundError):
        for line in unpack(packed(path)):
            left -= len(line)
            if left < 0:
                return
            yield line


def forget(path: Path, row_ids: Container[str]) -> None:
    """Takes the replies to these rows off the file, so that they are asked again."""
    found = _unpacked(path)
    write_whole(path, b"".join(found.lines(row_id) for row_id in found if row_id not in row_ids))
    packed(path).unlink(missing_ok=True)  # or an empty journal would be filled from it


def as_line(reply: Reply) -> bytes:
    """A reply as the journal has it."""
    # The same JSON as pydantic's, in a quarter of the time.
    return line_of(orjson.dumps(reply.__dict__, default=vars))


def line_of(body: bytes) -> bytes:
    """A reply's JSON behind its checksum."""
    return b'["%08x",%b]\n' % (zlib.crc32(body, VERSION), body)


def good(lines: bytes) -> Iterator[bytes]:
    """Bodies of those lines that check: what is torn or has a flipped byte is as if it were not there."""
    for line in lines.split(b"\n"):
        body = line[_HEAD:-1]
        if line.endswith(b"]") and line[2:10] == b"%08x" % zlib.crc32(body, VERSION):
            yield body


def _id(line: bytes) -> str | None:
    """The id of a reply whose id is not a plain one."""
    try:
        found = orjson.loads(line[_HEAD:-1])
    except ValueError:
        return None
    row_id = found.get("id") if isinstance(found, dict) else None
    return row_id if isinstance(row_id, str) else None
