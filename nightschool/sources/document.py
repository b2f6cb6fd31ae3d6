"""From the text of a JSON document to the elements of one of its lists, each with its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightschool.errors import DataError

_BLANK = re.compile(r"[ \t\r\n]*")
# Siblings of the list that are named in a message.
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """A value and its line; `flaw` where it is JSON by name only."""

    line: int
    value: Any
    flaw: str = ""
    detail: str = ""


class Document:
    """Reads a document piece by piece: an element that is wrong is named by its line, and the others are read.

    NaN and Infinity, which are no JSON and which Python writes all the same, a key that stands twice in a record, and
    half a surrogate pair, which no file can hold, are flaws of their element.
    """

    def __init__(self, text: str, file: Path) -> None:
        self._text, self._file = text, file
        self._flaw = ("", "")
        self._escapes = "\\ud" in text.lower()  # looked for once: the text may be long
        self._at, self._lines = 0, 1
        self._decoder = json.JSONDecoder(object_pairs_hook=self._pairs, parse_constant=self._constant)

    @property
    def is_lines(self) -> bool:
        """Whether a record is followed by more: then it is JSON lines by another name."""
        start = self._skip(0)
        if self._text[start : start + 1] != "{":
            return False
        try:
            _, end = self._decoder.raw_decode(self._text, start)
        except (ValueError, RecursionError):
            return False
        return self._skip(end) < len(self._text)

    def whole(self, line: int) -> Finding:
        """The one value that the text is, told as of this line.

        Raises:
            DataError: it is none.
        """
        start = self._skip(0)
        value, end = self._value(start)
        if self._skip(end) < len(self._text):
            raise self._error("more follows after the record", end)
        return self._found(line, value)

    def rows(self, place: str | None, *, alone: bool) -> Iterator[Finding]:
        """The elements of the list at `place`, names parted by dots; of the document itself if it is None.

        Raises:
            DataError: it is not JSON, or there is no list; names what there is instead.
        """
        start = self._skip(0)
        for name in place.split(".") if place else ():
            start = self._member(start, name)
        if self._text[start : start + 1] != "[":
            if alone and not place and self._text[start : start + 1] == "{":
                yield self.whole(1)
                return
            names = self._names(start)
            hint = f"; pool.rows names the list in it, which has: {', '.join(names)}" if names else ""
            raise self._error(f"the file must be one list of records{hint}", start)
        yield from self._elements(start + 1)

    def _elements(self, at: int) -> Iterator[Finding]:
        at = self._skip(at)
        while self._text[at : at + 1] != "]":
            self._flaw = ("", "")
            line = self._line(at)
            value, at = self._value(at)
            yield self._found(line, value)
            at = self._skip(at)
            if self._text[at : at + 1] == ",":
                at = self._skip(at + 1)
            elif self._text[at : at + 1] != "]":
                raise self._error("not JSON: a comma or the end of the list is missing", at)

    def _members(self, at: int) -> Iterator[tuple[str, int]]:
        """Names of an object's fields and where their values begin; nothing for what is no object."""
        if self._text[at : at + 1] != "{":
            return
        at = self._skip(at + 1)
        while self._text[at : at + 1] == '"':
            name, at = self._value(at)
            at = self._skip(self._skip(at) + 1)
            yield name, at
            _, at = self._value(at)
            at = self._skip(at)
            at = self._skip(at + 1) if self._text[at : at + 1] == "," else at

    def _member(self, at: int, name: str) -> int:
        for found, start in self._members(at):
            if found == name:
                return start
        known = ", ".join(self._names(at)) or "nothing with a name"
        raise self._error(f"there is no {name!r} (pool.rows) in it; it has: {known}", at)

    def _names(self, at: int) -> list[str]:
        return [name for name, _ in self._members(at)][:_MOST_NAMED]

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as err:
            raise self._error(f"not JSON: {err.msg}", err.pos) from None
        except RecursionError:
            raise self._error("not JSON that anyone reads: nested too deep", at) from None

    def _found(self, line: int, value: object) -> Finding:
        flaw, detail = self._flaw
        if not flaw and self._escapes and not _writable(value):
            flaw, detail = "not_text", "half a surrogate pair"
        return Finding(line, value, flaw, detail)

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            self._flaw = ("key_twice", f"the field {twice!r} stands twice")
        return record

    def _constant(self, name: str) -> None:
        self._flaw = ("not_finite", f"{name} is no number")

    def _skip(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return found.end() if found else at

    def _line(self, at: int) -> int:
        """The line of a place that is not before the last one that was asked for."""
        self._lines += self._text.count("\n", self._at, at)
        self._at = at
        return self._lines

    def _error(self, message: str, at: int) -> DataError:
        return DataError(message, file=self._file, line=self._text.count("\n", 0, at) + 1)


def _writable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
