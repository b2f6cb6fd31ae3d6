"""From marks to their counts by teacher and by class, which add up over chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from nightschool.marking import Marked
from nightschool.records import Mark, Results

# A teacher's marks on one question, and what they come to.
_Pattern = tuple[tuple[Mark | None, ...], Results | None]


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


def tallies(rows: Iterable[Marked]) -> dict[str, Tally]:
    """Counts by teacher. An answer that is missing counts as not right, one that could not be judged not at all."""
    patterns: dict[str, Counter[_Pattern]] = {}
    reasons: dict[str, Counter[str]] = {}
    for row in rows:
        for teacher, marks in row.marks.items():
            if teacher not in patterns:
                patterns[teacher], reasons[teacher] = Counter(), Counter()
            patterns[teacher][tuple(marks), row.results.get(teacher)] += 1
            if any(row.solutions[teacher].reasons):
                reasons[teacher].update(filter(None, row.solutions[teacher].reasons))
    return {teacher: _tally(each, reasons[teacher]) for teacher, each in patterns.items()}


def classes(rows: Iterable[Marked]) -> dict[str, int]:
    """How many questions of each class there are; `no_truth` and `not_judged` are those of none."""
    return dict(Counter(row.agreed or ("not_judged" if _has_truth(row) else "no_truth") for row in rows))


def _has_truth(row: Marked) -> bool:
    marks = [mark for each in row.marks.values() for mark in each]
    return any(marks) or (not marks and row.question.answer is not None)


def _tally(patterns: Mapping[_Pattern, int], reasons: Mapping[str, int]) -> Tally:
    """Of one teacher, by how often it had the same marks on a question."""
    questions = aa = ra = rr = 0
    marks, results = Counter[Mark](), Counter[Results]()
    for (each, result), times in patterns.items():
        for mark in set(each):
            if mark:
                marks[mark] += times * each.count(mark)
        if result:
            results[result] += times
        right, judged = each.count("right"), len(each) - each.count("could_not_judge") - each.count(None)
        questions += times * any(each)
        aa, ra, rr = aa + times * judged * judged, ra + times * right * judged, rr + times * right * right
    return Tally(questions=questions, marks=marks, results=results, reasons=dict(reasons), aa=aa, ra=ra, rr=rr)
