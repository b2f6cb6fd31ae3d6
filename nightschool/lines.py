"""From a row as a JSON line to the parts of it that are looked at; the rest stays the bytes that it is.

For solutions, of which a night may have millions: they lie once, in the answers, and a text is decoded by whoever reads
it (measured, benchmarks/plan004_data.py). Lines are the store's own: checked against their manifest, with the fields of
nightschool/records.py and solved.py in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
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
    """A `Solutions` as its line, in which `spans` are the texts, as JSON."""

    id: str
    line: bytes
    spans: Sequence[tuple[int, int]]

    def text(self, sample: int) -> bytes:
        """The text of one, as JSON."""
        start, end = self.spans[sample]
        return self.line[start:end]

    @property
    def texts(self) -> list[str]:
        """The text of each."""
        return [text_of(self.line[start:end]) for start, end in self.spans]


class ReadLine(msgspec.Struct, gc=False):
    """A `Solutions` with what was read out of each text, and how sure the server was of each, if it said so.

    `values` and `reasons` are the readings' own, side by side; `written`: where the texts are, as long as they are
    needed.
    """

    id: str
    readings: list[Reading]
    values: list[str | None]
    reasons: list[str | None]
    sure: Sequence[float | None]
    written: SolutionsLine | None


class MarkedLine(msgspec.Struct, gc=False):
    """A `Readings`, as far as it is looked at."""

    values: list[str | None]
    marks: list[Mark | None]
    sure: list[float | None]


class ShownLine(msgspec.Struct, gc=False):
    """A `Shown`; its text is JSON."""

    teacher: str
    sample: int
    text: msgspec.Raw


class CaseLine(msgspec.Struct, gc=False):
    """A `Solved` as the committee rules on it; the question is a `Question` as JSON."""

    id: str
    question: msgspec.Raw
    solutions: dict[str, MarkedLine]
    shown: ShownLine | None = None


class TopicLine(msgspec.Struct, gc=False):
    """What is counted of a `Question`."""

    topic: str


class TruthLine(msgspec.Struct, gc=False):
    """What is known of a `Question`: the letter of a solver or a file, and a file's own answer."""

    truth: str | None
    answer: str | None = None


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
    solutions: dict[str, MarkedLine]


class _Question(msgspec.Struct, gc=False):
    id: str
    answer: str | None


class _Head(msgspec.Struct, gc=False):
    id: str


_QUESTION, _HEAD = msgspec.json.Decoder(_Question).decode, msgspec.json.Decoder(_Head).decode
text_of = msgspec.json.Decoder(str).decode
truth_line = msgspec.json.Decoder(TruthLine).decode
solved_line = msgspec.json.Decoder(SolvedLine).decode
case_line = msgspec.json.Decoder(CaseLine).decode
topic_line, ruled_line = msgspec.json.Decoder(TopicLine).decode, msgspec.json.Decoder(RuledLine).decode
# In JSON a quote within a text stands behind a backslash, so these are found between fields only.
_SAID, _NEXT, _FINISH, _END = b',"said":[{"text":', b'},{"text":', b',"finish":"', b"}]}"
_BOXED, _FBOX, _QUOTE, _ESCAPE, _DIGITS = rb"\\boxed", rb"\\fbox", b'"', ord("\\"), range(ord("0"), ord("9") + 1)
# A short end of a text ("\boxed{42}$.") comes again and again, and takes little room.
_SHORT_BYTES = 200
_UNREAD, _SURE = Reading("nothing"), b',"confidence":'


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
    spans: list[tuple[int, int]] = []
    start = behind + len(_SAID)
    while start >= len(_NEXT):
        end = line.find(_QUOTE, start + 1)  # a text's quotes are few, and a single byte is found fast
        if line[end - 1] == _ESCAPE:
            end = _closing(line, end)
        end += 1
        if not line.startswith(_FINISH, end):
            raise msgspec.DecodeError("a solution has no finish")
        spans.append((start, end))
        start = line.find(_NEXT, end) + len(_NEXT)
    return SolutionsLine(head.id, line, spans)


def _closing(line: bytes, end: int) -> int:
    """The quote that closes a JSON string, from one of it that has a backslash before it; -1 if none does."""
    while end > 0 and line[end - 1] == _ESCAPE:
        before = end - 1
        while line[before] == _ESCAPE:
            before -= 1
        if (end - before) % 2:
            break
        end = line.find(_QUOTE, end + 1)
    return end


def read_line(line: bytes, kind: Kind | None, fallback: Fallback) -> ReadLine:
    """`solutions_line` with the answer of each read; no kind: none is looked for.

    Raises:
        msgspec.DecodeError: the line is none of the store's.
    """
    row = solutions_line(line)
    readings = _readings(row, kind, fallback) if kind else [_UNREAD] * len(row.spans)
    # Every sample has the field, or none.
    given = line.find(_SURE, row.spans[-1][1]) >= 0
    sure = _confidences(line, row.spans) if given else [None] * len(row.spans)
    return ReadLine(row.id, readings, [one.value for one in readings], [one.reason for one in readings], sure, row)


def _confidences(line: bytes, spans: Sequence[tuple[int, int]]) -> list[float | None]:
    """The confidence of each, which comes last: a number, null, or not there."""
    starts = [start for start, _ in spans]
    ends = [start - len(_NEXT) for start in starts[1:]] + [line.rfind(_END)]
    return [float(line[line.rfind(b":", 0, end) + 1 : end]) if line[end - 1] in _DIGITS else None for end in ends]


def _readings(row: SolutionsLine, kind: Kind, fallback: Fallback) -> list[Reading]:
    """`read` of each text while it is JSON: where only the last box counts, nothing before it is decoded."""
    line, found, read_end = row.line, list[Reading](), _ends(kind, fallback)
    thinks = b"<" in line and b"think>" in line  # most have no "<", and one byte is found ten times as fast as a word
    boxes = kind != "text" and fallback == "none"
    for start, end in row.spans:
        place = line.rfind(_BOXED, start, end) if boxes else -1
        if place < 0 and boxes:
            place = line.rfind(_FBOX, start, end)  # one behind a \boxed is read with it
        # A backslash before it may escape this one, and what looks like \boxed is a backspace and "oxed".
        if place <= start or line[place - 1] == _ESCAPE or (thinks and line.find(b"think>", start, end) >= 0):
            found.append(_read(line[start:end], kind, fallback))
        elif end - place < _SHORT_BYTES:
            found.append(read_end(line[place:end]))
        else:
            found.append(_read(b'"' + line[place:end], kind, fallback))
    return found


def _read(text: bytes, kind: Kind, fallback: Fallback) -> Reading:
    return read(text_of(text), kind, fallback=fallback)


@cache
def _ends(kind: Kind, fallback: Fallback) -> Callable[[bytes], Reading]:
    """What short ends of texts say, from the last box on."""
    return lru_cache(maxsize=1 << 16)(lambda end: _read(b'"' + end, kind, fallback))
