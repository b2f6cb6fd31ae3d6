"""Lines packed with zstd: a tenth of the bytes, and any run of lines is read without unpacking those before it.

A file is zstd frames of as many lines each, one after the other: `zstdcat` prints it whole. JSONL so packed takes
a fifth of the time of zstd Parquet to write, and 15% more room (measured, benchmarks/journal.py).
"""

from __future__ import annotations

import hashlib
import mmap
import sys
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

import msgspec
from pydantic import ValidationError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from blocks.disk import mark_of, write_whole
from nightschool.chunks import FileMark
from nightschool.errors import DataError
from nightschool.sources.aside import Lines

T = TypeVar("T")
# Places of lines: from the first to behind the last of each run, in order.
Runs = Sequence[tuple[int, int]]

# A frame has at most so many lines, and about so many bytes: memory that was used before is used again, where one
# of 12 MB costs a third of its unpacking in page faults; frames of 1 MB take 9% more room (measured).
FRAME_LINES, FRAME_BYTES = 1000, 1 << 20
# Lines of very different length make frames that are larger than most; what says more is not ours.
MOST_FRAME_BYTES = 1 << 28
# Level 3 packs as well as 1 at the same speed; 6 takes six times as long for 8% (measured on journals).
_OPTIONS: dict[int, int] = {zstd.CompressionParameter.compression_level: 3, zstd.CompressionParameter.checksum_flag: 1}


def pack(lines: Sequence[bytes] | Lines) -> bytes:
    """Lines, each with its line end, as a packed file has them."""
    return b"".join(zstd.compress(run, options=_OPTIONS) for run in _runs(lines))


def write_packed(path: Path, lines: Sequence[bytes] | Lines) -> FileMark:
    """The lines as a packed file that is whole or not there; what it is."""
    frames, content = list[bytes](), hashlib.sha256()
    for run in _runs(lines):
        content.update(run)
        frames.append(zstd.compress(run, options=_OPTIONS))
    data = b"".join(frames)
    write_whole(path, data)
    return FileMark(bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), content=content.hexdigest())


def marked(path: Path) -> FileMark:
    """What a file is that was not packed here.

    Raises:
        FileNotFoundError: there is none.
    """
    found = mark_of(path)
    if found is None:
        raise FileNotFoundError(2, "a file of the chunk is missing", str(path))
    return FileMark(bytes=found[0], sha256=found[1], content=found[1])


def _runs(lines: Sequence[bytes] | Lines) -> Iterator[bytes]:
    """Each frame's lines: as many in all of them, the last one may have fewer."""
    each = max(1, min(FRAME_LINES, FRAME_BYTES * len(lines) // max(1, sum(map(len, lines)))))
    rest = iter(lines)
    while run := b"".join(islice(rest, each)):
        yield run


def unpack(path: Path, start: int = 0, stop: int | None = None, runs: Runs | None = None) -> Iterator[bytes]:
    """The lines of a packed file from `start` up to `stop`; of those in `runs`, if there are any.

    Raises:
        DataError: the file is damaged.
    """
    data = _mapped(path)
    try:
        if runs is not None:
            yield from islice(_picked(_lines(data), runs), start, stop)
            return
        if start and data:
            each = _unpacked(data[: zstd.get_frame_size(data)]).count(b"\n")
            for _ in range(start // each):
                data = data[zstd.get_frame_size(data) :] if data else data
            start, stop = start % each, stop if stop is None else stop - start // each * each
        yield from islice(_lines(data), start, stop)
    except zstd.ZstdError as err:
        raise DataError(f"cannot be unpacked: {err}", file=path) from None


def parsed(
    path: Path, parse: Callable[[bytes], T], start: int = 0, stop: int | None = None, runs: Runs | None = None
) -> Iterator[T]:
    """What `parse` makes of each line from `start` up to `stop`, see `unpack`.

    Raises:
        DataError: the file is damaged, or a line is not such a row; names file and line.
    """
    numbers = count(start + 1) if runs is None else islice(_picked(count(1), runs), start, stop)
    for line, number in zip(unpack(path, start, stop, runs), numbers, strict=False):
        try:
            yield parse(line)
        except (ValidationError, msgspec.DecodeError) as err:
            message = err.errors()[0]["msg"] if isinstance(err, ValidationError) else str(err)
            raise DataError(f"not a row of its kind: {message}", file=path, line=number) from None


def _picked(each: Iterator[T], runs: Runs) -> Iterator[T]:
    at = 0
    for start, stop in runs:
        yield from islice(each, start - at, stop - at)
        at = stop


def _mapped(path: Path) -> memoryview:
    """The file's bytes, of which only those that are looked at are read."""
    with path.open("rb") as file:
        empty = path.stat().st_size == 0
        return memoryview(b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _lines(data: memoryview) -> Iterator[bytes]:
    while data:
        size = zstd.get_frame_size(data)
        yield from BytesIO(_unpacked(data[:size]))
        data = data[size:]


def _unpacked(frame: memoryview) -> bytes:
    """A frame's lines. What it says of its size is held against what comes out: 50 kB can say a gigabyte."""
    most = zstd.get_frame_info(frame).decompressed_size
    if most is None or most > MOST_FRAME_BYTES:
        raise zstd.ZstdError(f"a part of it says that it is {most or 'any number of'} bytes, which none of ours is")
    opened = zstd.ZstdDecompressor()
    found = opened.decompress(frame, max_length=most + 1)
    if len(found) != most or not opened.eof:
        raise zstd.ZstdError("a part of it is not as long as it says")
    return found
