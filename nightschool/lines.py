"""From a row as a JSON line to the parts of it that are looked at; the rest stays the bytes that it is.

For solutions, of which a night may have millions: a text that is only passed on is neither decoded nor encoded again
(measured, benchmarks/plan004_data.py). Lines are the store's own: checked against their manifest, with the fields of
nightschool/records.py in their order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec

from nightschool.records import Mark
from nightschool.values.kinds import Fallback, Kind, Reading
from nightschool.values.read import read


class QuestionLine(msgspec.Struct, gc=False):
    """What is read of a `Question`."""

    id: str
    answer: str | None


class SolutionsLine(NamedTuple):
    """A `Solutions`; each of `said` is a `Said` as JSON, without what stands before its text and behind it all."""

    id: str
    teacher: str
    said: list[bytes]


class Matched(NamedTuple):
    """A question, its line, and every teacher's solutions by name, see `SolutionsLine`."""

    question: QuestionLine
    line: bytes
    solutions: dict[str, list[bytes]]


class AskedLine(msgspec.Struct, gc=False):
    """What is read of a question in a merged row."""

    topic: str
    question: str
    answer: str | None


class SolutionLine(msgspec.Struct, gc=False):
    """A `Solution` whose text is decoded when it is wanted."""

    text: msgspec.Raw
    value: str | None
    mark: str | None

    @property
    def said(self) -> str:
        return _STRING.decode(self.text)


class SolvedLine(msgspec.Struct, gc=False):
    """A `Solved`, as far as its solutions are looked at."""

    id: str
    question: AskedLine
    solutions: dict[str, list[SolutionLine]]


class HeardLine(msgspec.Struct, gc=False):
    """A `Solution` as the committee hears it."""

    text: str
    value: str | None
    mark: Mark | None
    confidence: float | None = None


class CaseLine(msgspec.Struct, gc=False):
    """A `Solved` as the committee rules on it; the question is a `Question` as JSON."""

    id: str
    question: msgspec.Raw
    solutions: dict[str, list[HeardLine]]


class TopicLine(msgspec.Struct, gc=False):
    """What is counted of a `Question`."""

    topic: str


class RuledLine(msgspec.Struct, gc=False):
    """What is counted of a `Ruling`."""

    question: TopicLine


class _Head(msgspec.Struct):
    id: str
    teacher: str


_QUESTION, _HEAD, _STRING = msgspec.json.Decoder(QuestionLine), msgspec.json.Decoder(_Head), msgspec.json.Decoder(str)
solved_line = msgspec.json.Decoder(SolvedLine).decode
case_line = msgspec.json.Decoder(CaseLine).decode
topic_line, ruled_line = msgspec.json.Decoder(TopicLine).decode, msgspec.json.Decoder(RuledLine).decode
# In JSON a quote within a text stands behind a backslash, so these are found between fields only.
_SAID, _NEXT, _FINISH, _END = b',"said":[{"text":', b'},{"text":', b',"finish":"', b"}]}"
_BOXED, _FBOX, _ESCAPE = rb"\\boxed", rb"\\fbox", ord("\\")
# A short end of a text ("\boxed{42}$.") comes again and again, and takes little room.
_SHORT_BYTES = 200


def question_line(line: bytes) -> tuple[QuestionLine, bytes]:
    """A question's line read, and as it is."""
    return _QUESTION.decode(line), line.rstrip()


def solutions_line(line: bytes) -> SolutionsLine:
    """A line of one teacher's solutions, of which there is at least one.

    Raises:
        msgspec.DecodeError: the line is none of the store's.
    """
    behind = line.find(_SAID)
    head = _HEAD.decode(line[:behind] + b"}")
    said = line[behind + len(_SAID) : line.rfind(_END)].split(_NEXT)
    if any(one.rfind(_FINISH) < 0 for one in said):
        raise msgspec.DecodeError("a solution has no finish")
    return SolutionsLine(head.id, head.teacher, said)


def read_line(said: bytes, kind: Kind, fallback: Fallback) -> Reading:
    """`read` of a solution's text while it is JSON: where only the last box counts, nothing before it is decoded."""
    end = said.rfind(_FINISH)
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
    return read(_STRING.decode(text), kind, fallback=fallback)


_read_once = lru_cache(maxsize=1 << 16)(_read)
