"""From solutions in free text to marks: the value of each, right or wrong where the truth is known; their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from nightschool.records import Agreed, Mark, Matched, Results, Solution, Solved
from nightschool.values import latex
from nightschool.values.kinds import Fallback, Kind, Reading
from nightschool.values.read import equal, read, read_truth

Pair = tuple[str, str]
# (truth, value) pairs to whether they are equal, None for what could not be judged.
Compare = Callable[[Collection[Pair]], Mapping[Pair, bool | None]]


class Tally(BaseModel):
    """Counts of one teacher's marks, which add up over chunks.

    `questions` are those with a known truth and a solution; the sums of products over them carry the interval of a
    share whose answers are not independent: a = solutions that were judged, r = right ones among them.
    """

    model_config = ConfigDict(extra="forbid")

    questions: int = 0
    marks: dict[Mark, int] = {}
    results: dict[Results, int] = {}
    reasons: dict[str, int] = {}
    aa: int = 0
    ra: int = 0
    rr: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            questions=self.questions + other.questions,
            marks=dict(Counter(self.marks) + Counter(other.marks)),
            results=dict(Counter(self.results) + Counter(other.results)),
            reasons=dict(Counter(self.reasons) + Counter(other.reasons)),
            aa=self.aa + other.aa,
            ra=self.ra + other.ra,
            rr=self.rr + other.rr,
        )


@dataclass(frozen=True, slots=True)
class _Opened:
    """A question with what was read out of its solutions; `gold` is the value of its answer, if it has one."""

    matched: Matched
    gold: str | None
    readings: Mapping[str, Sequence[Reading]]


def mark(matched: Iterable[Matched], kind: Kind, *, fallback: Fallback, compare: Compare) -> list[Solved]:
    """Each question with the value of every solution, its mark where the truth is known, and how the results agree.

    A value that could not be compared (out of time or memory) is `could_not_judge`, and never wrong.

    Args:
        compare: asked once, with every distinct pair that only mathematics can tell.

    Source: issue 4, "Answers as values"; plan 004, whose checker called 935 of 5,000 published solutions wrong.
    """
    opened = [_open(one, kind, fallback) for one in matched]
    untold = {
        _key(row.gold, reading.value)
        for row in opened
        for readings in row.readings.values()
        for reading in readings
        if row.gold and reading.value and equal(row.gold, reading.value, kind) is None
    }
    found = compare(untold) if untold else {}
    return [_marked(row, kind, found) for row in opened]


def results_of(solutions: Sequence[Solution]) -> Results | None:
    """All right, all wrong or mixed, by the solutions that are either; None if none is."""
    marks = {one.mark for one in solutions} & {"right", "wrong"}
    if not marks:
        return None
    return "mixed" if len(marks) == 2 else "all_right" if "right" in marks else "all_wrong"


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


def tallies(rows: Iterable[Solved]) -> dict[str, Tally]:
    """Counts by teacher. An answer that is missing counts as not right, one that could not be judged not at all."""
    found: dict[str, Tally] = {}
    for row in rows:
        for teacher, solutions in row.solutions.items():
            marks: Counter[Mark] = Counter(one.mark for one in solutions if one.mark)
            judged, right = marks.total() - marks["could_not_judge"], marks["right"]
            result = row.results.get(teacher)
            found[teacher] = found.get(teacher, Tally()) + Tally(
                questions=1 if marks else 0,
                marks=dict(marks),
                results={result: 1} if result else {},
                reasons=dict(Counter(one.reason for one in solutions if one.reason)),
                aa=judged * judged,
                ra=right * judged,
                rr=right * right,
            )
    return found


def classes(rows: Iterable[Solved]) -> dict[str, int]:
    """How many questions of each class there are; `no_truth` and `not_judged` are those of none."""
    return dict(Counter(row.agreed or ("not_judged" if _has_truth(row) else "no_truth") for row in rows))


def _has_truth(row: Solved) -> bool:
    solutions = [one for said in row.solutions.values() for one in said]
    return any(one.mark for one in solutions) or (not solutions and row.question.answer is not None)


def _open(matched: Matched, kind: Kind, fallback: Fallback) -> _Opened:
    answer = matched.question.answer
    readings = {
        name: [read(one.text, kind, fallback=fallback) for one in said] for name, said in matched.solutions.items()
    }
    return _Opened(matched, read_truth(answer, kind).value if answer is not None else None, readings)


def _marked(row: _Opened, kind: Kind, found: Mapping[Pair, bool | None]) -> Solved:
    solutions = {
        name: tuple(
            Solution(
                text=one.text,
                finish=one.finish,
                reasoning=one.reasoning,
                value=reading.value,
                reason=reading.reason,
                mark=_mark(reading, row.gold, kind, found) if row.gold else None,
            )
            for one, reading in zip(said, row.readings[name], strict=True)
        )
        for name, said in row.matched.solutions.items()
    }
    question = row.matched.question
    results: dict[str, Results] = {name: result for name, said in solutions.items() if (result := results_of(said))}
    return Solved(
        id=question.id, question=question, solutions=solutions, results=results, agreed=agreed(results.values())
    )


def _mark(reading: Reading, gold: str, kind: Kind, found: Mapping[Pair, bool | None]) -> Mark:
    if reading.value is None:
        return "could_not_judge" if reading.outcome == "could_not_judge" else "no_answer"
    same = equal(gold, reading.value, kind)
    if same is None:
        same = found[_key(gold, reading.value)]
    return "could_not_judge" if same is None else "right" if same else "wrong"


def _key(gold: str, value: str) -> Pair:
    """Two spellings of a pair are one question to mathematics."""
    return latex.tidy(gold), latex.tidy(value)
