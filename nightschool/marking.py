"""From solutions in free text to marks: the value of each, right or wrong where the truth is known; their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from nightschool.lines import AskedLine, ReadLine, ShownLine
from nightschool.records import Agreed, Mark, Results
from nightschool.seeds import seed_of
from nightschool.values import latex
from nightschool.values.kinds import Kind, Reading
from nightschool.values.read import equals, read_truth

Pair = tuple[str, str]
# (truth, value) pairs to whether they are equal, None for what could not be judged.
Compare = Callable[[Collection[Pair]], Mapping[Pair, bool | None]]
Matched = tuple[AskedLine, Mapping[str, ReadLine]]
_MARKS: Mapping[bool | None, Mark] = {True: "right", False: "wrong", None: "could_not_judge"}


class Marked(NamedTuple):
    """A question with what was read out of every solution, and the mark of each; as a line it is a `Solved`."""

    question: AskedLine
    solutions: Mapping[str, ReadLine]
    marks: Mapping[str, Sequence[Mark | None]]
    results: Mapping[str, Results]
    agreed: Agreed | None
    shown: ShownLine | None = None

    @property
    def line(self) -> bytes:
        """The row's JSON line, the same as pydantic's."""
        marks = self.marks
        solutions = {
            name: _Readings(row.values, row.reasons, marks[name], row.sure) for name, row in self.solutions.items()
        }
        question = msgspec.Raw(self.question.line)
        return _json(_Line(self.question.id, question, solutions, self.results, self.agreed, self.shown)) + b"\n"


class _Readings(msgspec.Struct, gc=False):
    values: Sequence[str | None]
    reasons: Sequence[str | None]
    marks: Sequence[Mark | None]
    sure: Sequence[float | None]


class _Line(msgspec.Struct, gc=False):
    id: str
    question: msgspec.Raw
    solutions: Mapping[str, _Readings]
    results: Mapping[str, Results]
    agreed: Agreed | None
    shown: ShownLine | None


class _Opened(NamedTuple):
    """A question with what was read out of its solutions; `gold` is the value of its answer, if it has one.

    `same`: whether each distinct value equals it; None for what only mathematics can tell.
    """

    matched: Matched
    gold: str | None
    same: Mapping[str, bool | None]
    shown: ShownLine | None


def unread(matched: Matched) -> Marked:
    """The row of a night that looks for no value in its solutions."""
    question, solutions = matched
    return Marked(question, solutions, {name: [None] * len(row.readings) for name, row in solutions.items()}, {}, None)


def mark(matched: Iterable[Matched], kind: Kind, *, compare: Compare, seed: int = 0) -> Iterator[Marked]:
    """Each question with the value of every solution, its mark where the truth is known, and how the results agree.

    A value that could not be compared (out of time or memory) is `could_not_judge`, and never wrong.

    Args:
        compare: asked once, with every distinct pair that only mathematics can tell.
        seed: by which one solution of a question is drawn to be taught, should its answer be.

    Source: issue 4, "Answers as values"; plan 004, whose checker called 935 of 5,000 published solutions wrong.
    """
    opened = [_open(one, kind, seed) for one in matched]
    untold = {_key(row.gold, value) for row in opened if row.gold for value, same in row.same.items() if same is None}
    found = compare(untold) if untold else {}
    return (_marked(row, found) for row in opened)


def results_of(right: bool, wrong: bool) -> Results | None:
    """All right, all wrong or mixed, by whether some solutions are right and some wrong; None if none is either."""
    return "mixed" if right and wrong else "all_right" if right else "all_wrong" if wrong else None


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


def _open(matched: Matched, kind: Kind, seed: int) -> _Opened:
    question, solutions = matched
    gold = read_truth(question.answer, kind).value if question.answer is not None else None
    values = {value for row in solutions.values() for value in row.values if value is not None}
    same = equals(gold, values, kind) if gold else {}
    shown = _shown(question.id, solutions, _taught(solutions, same), seed)
    for row in solutions.values():
        row.written = None  # a chunk of texts need not be held until the last of them has been read
    return _Opened(matched, gold, same, shown)


def _taught(solutions: Mapping[str, ReadLine], same: Mapping[str, bool | None]) -> Collection[str]:
    """The values that are surely right, else the commonest one: most likely what a committee will accept."""
    if right := [value for value, told in same.items() if told]:
        return right
    counts = Counter([value for row in solutions.values() for value in row.values if value is not None])
    return sorted(counts, key=lambda one: (-counts[one], one))[:1]


def _shown(row_id: str, solutions: Mapping[str, ReadLine], values: Collection[str], seed: int) -> ShownLine | None:
    """A solution that leads to one of these values, whoever's it is: so a committee seldom has to read the texts."""
    places = [
        (name, place)
        for name in sorted(solutions)
        for place, value in enumerate(solutions[name].values)
        if value in values
    ]
    if not places:
        return None
    teacher, sample = places[seed_of("shown", seed, row_id) % len(places)]
    written = solutions[teacher].written
    return ShownLine(teacher, sample, msgspec.Raw(written.text(sample))) if written else None


def _marked(row: _Opened, found: Mapping[Pair, bool | None]) -> Marked:
    question, solutions = row.matched
    if not row.gold:
        return unread(row.matched)._replace(shown=row.shown)
    by_value: dict[str | None, Mark] = {}
    for value, told in row.same.items():
        by_value[value] = _MARKS[found[_key(row.gold, value)] if told is None else told]
    marks: dict[str, list[Mark | None]] = {}
    results: dict[str, Results] = {}
    for name, each in solutions.items():
        mine: list[Mark | None] = [by_value.get(value) for value in each.values]
        if None in mine:
            mine = [told or _missing(one) for told, one in zip(mine, each.readings, strict=True)]
        marks[name] = mine
        if result := results_of("right" in mine, "wrong" in mine):
            results[name] = result
    return Marked(question, solutions, marks, results, agreed(results.values()), row.shown)


def _missing(reading: Reading) -> Mark:
    return "could_not_judge" if reading.outcome == "could_not_judge" else "no_answer"


def _key(gold: str, value: str) -> Pair:
    """Two spellings of a pair are one question to mathematics."""
    return latex.tidy(gold), latex.tidy(value)


_json = msgspec.json.Encoder().encode
