"""From the bytes of a text file to its rows: JSON lines, a JSON document, a table in CSV."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from nightschool.errors import DataError
from nightschool.sources.document import Document, Finding
from nightschool.sources.raw import MOST_BYTES, Raw, bad

# Above it a float has lost digits of the whole number that stood in the file.
_EXACT = 2.0**53


def json_lines(path: Path, encoding: str) -> Iterator[Raw]:
    """The rows of a file with one JSON record to a line, one at a time; empty lines are none."""
    with path.open("rb") if encoding == "utf-8" else _recoded(path, encoding) as file:
        for number, line in enumerate(_lines(file), start=1):
            if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise DataError("the file is in UTF-16: say pool.encoding: utf-16", file=path)
            text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if len(text) > MOST_BYTES:
                yield bad(path, number, "too_long", f"more than {MOST_BYTES:,} bytes")
            elif text.strip():
                yield _line(path, number, text)


def json_document(path: Path, encoding: str, place: str | None, *, alone: bool) -> Iterator[Raw]:
    """The records of the list at `place` of a JSON document (`data.rows`); of the whole document if it is None.

    Args:
        alone: a document that is one record is one row.
    """
    text = decoded(path, encoding)
    document = Document(text, path)
    if place is None and document.is_lines:
        yield from json_lines(path, encoding)
        return
    for found in document.rows(place, alone=alone):
        yield _record(path, found.line, found)


def table(path: Path, encoding: str) -> Iterator[Raw]:
    """The rows of a table whose first line names its columns; a row of several lines is known by its first one.

    Columns are parted by commas; by semicolons or tabs where the first line has those and no comma.
    """
    text = decoded(path, encoding)
    csv.field_size_limit(MOST_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=_delimiter(text))
    try:
        names = next(reader, [])
    except csv.Error as err:
        raise DataError(f"the first line is no CSV: {err}", file=path, line=1) from None
    if twice := {name for name in names if names.count(name) > 1}:
        raise DataError(f"two columns are named {', '.join(sorted(twice))}", file=path, line=1)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            yield bad(path, line, "not_csv", str(err))
            continue
        if row and len(row) != len(names):
            yield bad(path, line, "other_columns", f"{len(row)} fields, the first line has {len(names)}")
        elif row:
            yield Raw(path, line, dict(zip(names, row, strict=True)))


def decoded(path: Path, encoding: str) -> str:
    """The whole file as text, without its byte order mark.

    Raises:
        DataError: it is not in this encoding; names the line.
    """
    data = path.read_bytes()
    if encoding == "utf-8" and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError("the file is in UTF-16: say pool.encoding: utf-16", file=path)
    try:
        return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as err:
        message = f"not {encoding}: {err.reason} (pool.encoding says what it is: latin-1, cp1252, utf-16)"
        raise DataError(message, file=path, line=data.count(b"\n", 0, err.start) + 1) from None


def _recoded(path: Path, encoding: str) -> BinaryIO:
    return io.BytesIO(decoded(path, encoding).encode())


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines, of a huge one no more than its beginning: it is not held in memory."""
    while line := file.readline(MOST_BYTES + 1):
        rest = line
        while len(rest) > MOST_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MOST_BYTES + 1)
        yield line


def _line(path: Path, number: int, text: bytes) -> Raw:
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as err:
        return _slowly(path, number, text, str(err))
    if isinstance(record, dict) and (
        any(isinstance(value, float) and abs(value) > _EXACT for value in record.values())
        or any(text.count(b'"%b"' % key.encode()) > 1 for key in record)
    ):
        return _slowly(path, number, text, "")
    return _record(path, number, Finding(number, record))


def _slowly(path: Path, number: int, text: bytes, why: str) -> Raw:
    """A line that the quick reader refuses, or may have read amiss: a key that stands twice, a number too large."""
    try:
        return _record(path, number, Document(text.decode(), path).whole(number))
    except UnicodeDecodeError as err:
        return bad(path, number, "not_text", f"not utf-8: {err.reason} (pool.encoding says what it is)")
    except DataError:
        return bad(path, number, "not_json", why)


def _record(path: Path, line: int, found: Finding) -> Raw:
    if found.flaw:
        return bad(path, line, found.flaw, found.detail)
    if not isinstance(found.value, dict):
        return bad(path, line, "no_record", "a row must be a record with named fields")
    record: dict[str, Any] = found.value
    return Raw(path, line, record)


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    if "," in first:
        return ","
    return max((";", "\t"), key=first.count) if ";" in first or "\t" in first else ","
