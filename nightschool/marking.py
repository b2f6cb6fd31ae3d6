"""From solutions in free text to marks: the value of each, right or wrong where the truth is known; their counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from nightschool.lines import Matched, read_line
from nightschool.records import Agreed, Mark, Results
from nightschool.values import latex
from nightschool.values.kinds import Fallback, Kind, Reading
from nightschool.values.read import equal, read_truth

Pair = tuple[str, str]
# (truth, value) pairs to whether they are equal, None for what could not be judged.
Compare = Callable[[Collection[Pair]], Mapping[Pair, bool | None]]


class Marked(NamedTuple):
    """A question with what was read out of every solution, and the mark of each; as a line it is a `Solved`."""

    matched: Matched
    solutions: Mapping[str, Sequence[tuple[Reading, Mark | None]]]
    results: Mapping[str, Results]
    agreed: Agreed | None

    @property
    def line(self) -> bytes:
        """The row's JSON line, the same as pydantic's; texts are passed on as they came."""
        parts = [b'{"id":', _json(self.matched.question.id), b',"question":', self.matched.line, b',"solutions":{']
        for place, (name, said) in enumerate(self.matched.solutions.items()):
            parts += (b"," if place else b"", _json(name), b":[")
            for number, (one, (reading, mark)) in enumerate(zip(said, self.solutions[name], strict=True)):
                parts += (
                    b',{"text":' if number else b'{"text":', one, _ending(reading.value, reading.reason, mark)
                )  # fmt: skip
            parts.append(b"]")
        parts += (b'},"results":', _json(self.results), b',"agreed":', _json(self.agreed), b"}\n")
        return b"".join(parts)


class _Opened(NamedTuple):
    """A question with what was read out of its solutions; `gold` is the value of its answer, if it has one.

    `same`: whether each distinct value equals it; None for what only mathematics can tell.
    """

    matched: Matched
    gold: str | None
    readings: Mapping[str, Sequence[Reading]]
    same: Mapping[str, bool | None]


_UNREAD = Reading("nothing")


def unread(matched: Matched) -> Marked:
    """The row of a night that looks for no value in its solutions."""
    return Marked(matched, {name: [(_UNREAD, None)] * len(said) for name, said in matched.solutions.items()}, {}, None)


def mark(matched: Iterable[Matched], kind: Kind, *, fallback: Fallback, compare: Compare) -> Iterator[Marked]:
    """Each question with the value of every solution, its mark where the truth is known, and how the results agree.

    A value that could not be compared (out of time or memory) is `could_not_judge`, and never wrong.

    Args:
        compare: asked once, with every distinct pair that only mathematics can tell.

    Source: issue 4, "Answers as values"; plan 004, whose checker called 935 of 5,000 published solutions wrong.
    """
    opened = [_open(one, kind, fallback) for one in matched]
    untold = {_key(row.gold, value) for row in opened if row.gold for value, same in row.same.items() if same is None}
    found = compare(untold) if untold else {}
    return (_marked(row, found) for row in opened)


def results_of(marks: Iterable[Mark | None]) -> Results | None:
    """All right, all wrong or mixed, by the solutions that are either; None if none is."""
    found = {"right", "wrong"}.intersection(marks)
    if not found:
        return None
    return "mixed" if len(found) == 2 else "all_right" if "right" in found else "all_wrong"


def agreed(results: Iterable[Results]) -> Agreed | None:
    """One of four classes: mixed if any teacher is, else whether all teachers are right, all wrong, or opposed.

    Source: plan 004, filter_solutions.py: its README drops `opposed`, its code keeps it; here it has a name.
    """
    distinct = set(results)
    if not distinct:
        return None
    if "mixed" in distinct:
        return "mixed"
    return "opposed" if len(distinct) == 2 else "all_right" if "all_right" in distinct else "all_wrong"


def _open(matched: Matched, kind: Kind, fallback: Fallback) -> _Opened:
    answer = matched.question.answer
    gold = read_truth(answer, kind).value if answer is not None else None
    readings = {name: [read_line(one, kind, fallback) for one in said] for name, said in matched.solutions.items()}
    values = {one.value for said in readings.values() for one in said if one.value is not None} if gold else ()
    return _Opened(matched, gold, readings, {value: equal(gold, value, kind) for value in values} if gold else {})


def _marked(row: _Opened, found: Mapping[Pair, bool | None]) -> Marked:
    marks: dict[str, Mark] = {}
    for value, told in row.same.items():
        same = found[_key(row.gold or "", value)] if told is None else told
        marks[value] = "could_not_judge" if same is None else "right" if same else "wrong"
    solutions: dict[str, list[tuple[Reading, Mark | None]]] = {}
    results: dict[str, Results] = {}
    for name, readings in row.readings.items():
        theirs: Sequence[Mark | None] = [None] * len(readings)
        if row.gold:
            theirs = [_missing(one) if one.value is None else marks[one.value] for one in readings]
        solutions[name] = list(zip(readings, theirs, strict=True))
        if result := results_of(theirs):
            results[name] = result
    return Marked(row.matched, solutions, results, agreed(results.values()))


def _missing(reading: Reading) -> Mark:
    return "could_not_judge" if reading.outcome == "could_not_judge" else "no_answer"


def _key(gold: str, value: str) -> Pair:
    """Two spellings of a pair are one question to mathematics."""
    return latex.tidy(gold), latex.tidy(value)


_json = msgspec.json.Encoder().encode


@lru_cache(maxsize=1 << 16)
def _ending(value: str | None, reason: str | None, mark: Mark | None) -> bytes:
    """What a solution's line has behind the reply's own fields."""
    return b',"value":%b,"reason":%b,"mark":%b}' % (_json(value), _json(reason), _json(mark))
