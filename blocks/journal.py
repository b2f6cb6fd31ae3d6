"""The row journal of a chunk being made: every reply on disk the moment it arrives.

A line is a JSON array of the reply's checksum and the reply: `["1f0c88a2",{"id":"q-7",...}]`. The checksum tells a
torn line and a flipped byte from a good line; what does not check is skipped, and its row is asked again.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import orjson
from pydantic import ValidationError

from blocks.disk import write_whole
from blocks.packed import unpack
from blocks.scribe import scribe
from nightschool.errors import DataError, WorldError
from nightschool.wire import Reply

# Seeds every checksum, so that lines of another version do not check and are asked again. Raise it when Reply can no
# longer read its old lines: tests/blocks/test_journal.py holds one.
VERSION = 1

# Bytes that must be free: about as much as a few hundred requests in flight bring back.
_ROOM = 1024**2

_HEAD, _TAIL, _ID = len('["1f0c88a2",'), len("]\n"), b'{"id":"'


class Journal:
    """Append-only lines of replies; `replies` are those that were on file when it was opened.

    A line is with the kernel when it is appended, so a killed process loses only what was in flight; the disk has it
    after 100 rows or a second, so a power cut loses at most that.
    """

    def __init__(self, path: Path, earlier: Mapping[str, bytes] | None = None) -> None:
        """`earlier` has replies that lie in other journals, by row id; they come before the row's own."""
        self._path, self._earlier = path, earlier or {}
        self.replies = OnFile(path, {})

    def __enter__(self) -> Journal:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            found, whole = _scan(self._path)
            for row_id, body in self._earlier.items():
                found.bodies[row_id] = b"\n".join(filter(None, [body, found.bodies.get(row_id)]))
            self.replies = found
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
    """A row's replies by its id, in order of arrival, each parsed when it is looked at.

    A resumed chunk knows in one read what it need not ask.
    """

    def __init__(self, path: Path, bodies: dict[str, bytes]) -> None:
        self._path, self.bodies = path, bodies

    def __getitem__(self, row_id: str) -> Sequence[Reply]:
        try:
            return [Reply.model_validate_json(body) for body in self.bodies[row_id].split(b"\n")]
        except ValidationError as err:
            message = f"the reply to {row_id} checks but does not read: {err.errors()[0]['msg']}"
            raise DataError(message, file=self._path) from None

    def __contains__(self, row_id: object) -> bool:
        return row_id in self.bodies

    def __iter__(self) -> Iterator[str]:
        return iter(self.bodies)

    def __len__(self) -> int:
        return len(self.bodies)


def replies(path: Path) -> Iterator[Reply]:
    """The good replies in a journal, or in the packed one of a chunk that was whole; row by row."""
    for of_row in OnFile(path, bodies(path)).values():
        yield from of_row


def bodies(path: Path) -> dict[str, bytes]:
    """The same, unread: JSON of each row's replies by its id, several on lines of their own."""
    return _scan(path)[0].bodies or read_lines(packed_lines(path))[0]


def packed(path: Path) -> Path:
    """Where a journal lies once its chunk is whole."""
    return path.with_name(f"{path.name}.zst")


def packed_lines(path: Path) -> Iterator[bytes]:
    """As many lines of the packed journal as can be unpacked; none if there is no such file."""
    with suppress(DataError, FileNotFoundError):
        yield from unpack(packed(path))


def forget(path: Path, row_ids: Container[str]) -> None:
    """Takes the replies to these rows off the file, so that they are asked again."""
    found = _scan(path)[0].bodies
    kept = (body for row_id, joined in found.items() if row_id not in row_ids for body in joined.split(b"\n"))
    write_whole(path, b"".join(map(line_of, kept)))
    packed(path).unlink(missing_ok=True)  # or an empty journal would be filled from it


def as_line(reply: Reply) -> bytes:
    """A reply as the journal has it."""
    # The same JSON as pydantic's, in a quarter of the time.
    return line_of(orjson.dumps(reply.__dict__, default=vars))


def line_of(body: bytes) -> bytes:
    """A reply's JSON behind its checksum."""
    return b'["%08x",%b]\n' % (zlib.crc32(body, VERSION), body)


def _scan(path: Path) -> tuple[OnFile, int]:
    """The good lines, and how many bytes all lines take that are not torn off at the end."""
    try:
        with path.open("rb") as file:
            bodies, whole = read_lines(file)
    except FileNotFoundError:
        return OnFile(path, {}), 0
    return OnFile(path, bodies), whole


def read_lines(lines: Iterable[bytes]) -> tuple[dict[str, bytes], int]:
    """Bodies of the lines that check, by row id (several of one row on lines of their own), and whole lines' bytes.

    No list for each row: the garbage collector would look through them all, again and again, for half of the time.
    """
    bodies: dict[str, bytes] = {}
    size, line = 0, b"\n"
    for line in lines:
        size += len(line)
        body = line[_HEAD:-_TAIL]
        if line[2:10] == b"%08x" % zlib.crc32(body, VERSION) and line.endswith(b"]\n"):
            # The id is what a reply begins with; parsing the rest can wait.
            raw = body[len(_ID) : body.find(b'"', len(_ID))]
            row_id = raw.decode(errors="replace") if body.startswith(_ID) and b"\\" not in raw else _id(body)
            if row_id in bodies:
                bodies[row_id] += b"\n" + body
            elif row_id:
                bodies[row_id] = body
    return bodies, size if line.endswith(b"\n") else size - len(line)


def _id(body: bytes) -> str | None:
    """The id of a reply that does not begin with a plain one."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return None
    row_id = found.get("id") if isinstance(found, dict) else None
    return row_id if isinstance(row_id, str) else None
