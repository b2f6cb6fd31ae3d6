"""From a row as a JSON line to the parts of it that are looked at; the rest stays the bytes that it is.

For solutions, of which a night may have millions: they lie once, in the answers, and a text is decoded by whoever reads
it (measured, benchmarks/plan004_data.py). Lines are the store's own: checked against their manifest, with the fields of
nightschool/records.py and solved.py in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from nightschool.records import Mark
from nightschool.values.kinds import Fallback, Kind, Reading
from nightschool.values.read import read


class AskedLine(NamedTuple):
    """What is read of a `Question`, and its line."""

    id: str
    answer: str | None
    line: bytes


class SolutionsLine(NamedTuple):
    """A `Solutions`; `said` is its list as JSON, without what stands before the first text and behind the last."""

    id: str
    said: bytes

    @property
    def each(self) -> list[bytes]:
        """Every `Said` as JSON, without what stands before its text and behind it all."""
        return self.said.split(_NEXT)

    def text(self, sample: int) -> bytes:
        """The text of one, as JSON."""
        return raw_text(self.each[sample])

    @property
    def texts(self) -> list[str]:
        """The text of each."""
        return [text_of(raw_text(one)) for one in self.each]


class ReadLine(msgspec.Struct, gc=False):
    """A `Solutions` with what was read out of each text, and how sure the server was of each, if it said so.

    `each` as in `SolutionsLine`, as long as it is needed.
    """

    id: str
    readings: list[Reading]
    sure: list[float | None]
    each: Sequence[bytes] = ()


class HeardLine(msgspec.Struct, gc=False):
    """A `Solution`."""

    value: str | None
    mark: Mark | None
    confidence: float | None = None


class ShownLine(msgspec.Struct, gc=False):
    """A `Shown`; its text is JSON."""

    teacher: str
    sample: int
    text: msgspec.Raw


class CaseLine(msgspec.Struct, gc=False):
    """A `Solved` as the committee rules on it; the question is a `Question` as JSON."""

    id: str
    question: msgspec.Raw
    solutions: dict[str, list[HeardLine]]
    shown: ShownLine | None = None


class TopicLine(msgspec.Struct, gc=False):
    """What is counted of a `Question`."""

    topic: str


class RuledLine(msgspec.Struct, gc=False):
    """What is counted of a `Ruling`."""

    question: TopicLine


class JudgedLine(msgspec.Struct, gc=False):
    """What a critique shows of a question."""

    topic: str
    question: str
    answer: str | None


class SolvedLine(msgspec.Struct, gc=False):
    """A `Solved` as critiques are drawn from it."""

    id: str
    question: JudgedLine
    solutions: dict[str, list[HeardLine]]


class _Question(msgspec.Struct, gc=False):
    id: str
    answer: str | None


class _Head(msgspec.Struct, gc=False):
    id: str


_QUESTION, _HEAD = msgspec.json.Decoder(_Question).decode, msgspec.json.Decoder(_Head).decode
text_of = msgspec.json.Decoder(str).decode
solved_line = msgspec.json.Decoder(SolvedLine).decode
case_line = msgspec.json.Decoder(CaseLine).decode
topic_line, ruled_line = msgspec.json.Decoder(TopicLine).decode, msgspec.json.Decoder(RuledLine).decode
# In JSON a quote within a text stands behind a backslash, so these are found between fields only.
_SAID, _NEXT, _FINISH, _END = b',"said":[{"text":', b'},{"text":', b',"finish":"', b"}]}"
_BOXED, _FBOX, _ESCAPE, _DIGITS = rb"\\boxed", rb"\\fbox", ord("\\"), range(ord("0"), ord("9") + 1)
# A short end of a text ("\boxed{42}$.") comes again and again, and takes little room.
_SHORT_BYTES = 200
UNREAD = Reading("nothing")


def asked_line(line: bytes) -> AskedLine:
    """A question's line read, and as it is."""
    found = _QUESTION(line)
    return AskedLine(found.id, found.answer, line.rstrip())


def solutions_line(line: bytes) -> SolutionsLine:
    """A line of one teacher's solutions, of which there is at least one.

    Raises:
        msgspec.DecodeError: the line is none of the store's.
    """
    behind = line.find(_SAID)
    head = _HEAD(line[:behind] + b"}")
    return SolutionsLine(head.id, line[behind + len(_SAID) : line.rfind(_END)])


def read_line(line: bytes, kind: Kind | None, fallback: Fallback) -> ReadLine:
    """`solutions_line` with the answer of each read; no kind: none is looked for.

    Raises:
        msgspec.DecodeError: the line is none of the store's.
    """
    row = solutions_line(line)
    each = row.each
    readings = [_reading(one, kind, fallback) for one in each] if kind else [UNREAD] * len(each)
    # "confidence" comes last: a number, null, or not there.
    return ReadLine(row.id, readings, [_sure(one) for one in each], each)


def raw_text(said: bytes) -> bytes:
    """The text of one of `SolutionsLine.each`, as JSON."""
    return said[: said.rfind(_FINISH)]


def _sure(said: bytes) -> float | None:
    """Its confidence, which comes last: a number, null, or not there."""
    return float(said[said.rfind(b":") + 1 :]) if said[-1] in _DIGITS else None


def _reading(said: bytes, kind: Kind, fallback: Fallback) -> Reading:
    """`read` of a solution's text while it is JSON: where only the last box counts, nothing before it is decoded."""
    end = said.rfind(_FINISH)
    if end < 0:
        raise msgspec.DecodeError("a solution has no finish")
    start = 0
    # One byte is found ten times as fast as a word, and most solutions have no "<".
    if kind != "text" and fallback == "none" and not (b"<" in said and b"think>" in said):
        place = said.rfind(_BOXED, 0, end)
        place = max(place, said.rfind(_FBOX, max(0, place), end))
        # A backslash before it may escape this one, and what looks like \boxed is a backspace and "oxed".
        if place > 0 and said[place - 1] != _ESCAPE:
            start = place
    text = b'"' + said[start:end] if start else said[:end]
    return (_read_once if len(text) < _SHORT_BYTES else _read)(text, kind, fallback)


def _read(text: bytes, kind: Kind, fallback: Fallback) -> Reading:
    return read(text_of(text), kind, fallback=fallback)


_read_once = lru_cache(maxsize=1 << 16)(_read)
