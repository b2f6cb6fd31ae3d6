"""From marks to their counts by teacher and by class, which add up over chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from nightschool.marking import Marked
from nightschool.records import Mark, Results


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
    found: dict[str, _Count] = {}
    for row in rows:
        for teacher, marks in row.marks.items():
            if teacher not in found:
                found[teacher] = _Count()
            found[teacher].add([mark for mark in marks if mark], row.results.get(teacher))
            found[teacher].reasons.update(one.reason for one in row.solutions[teacher].readings if one.reason)
    return {teacher: count.tally() for teacher, count in found.items()}


def classes(rows: Iterable[Marked]) -> dict[str, int]:
    """How many questions of each class there are; `no_truth` and `not_judged` are those of none."""
    return dict(Counter(row.agreed or ("not_judged" if _has_truth(row) else "no_truth") for row in rows))


def _has_truth(row: Marked) -> bool:
    marks = [mark for each in row.marks.values() for mark in each]
    return any(marks) or (not marks and row.question.answer is not None)


class _Count:
    """A tally while it is counted."""

    def __init__(self) -> None:
        self.marks, self.results, self.reasons = Counter[Mark](), Counter[Results](), Counter[str]()
        self.questions = self.aa = self.ra = self.rr = 0

    def add(self, marks: list[Mark], result: Results | None) -> None:
        right, judged = marks.count("right"), len(marks) - marks.count("could_not_judge")
        self.marks.update(marks)
        self.questions += bool(marks)
        if result:
            self.results[result] += 1
        self.aa, self.ra, self.rr = self.aa + judged * judged, self.ra + right * judged, self.rr + right * right

    def tally(self) -> Tally:
        return Tally(
            questions=self.questions, marks=dict(self.marks), results=dict(self.results), reasons=dict(self.reasons),
            aa=self.aa, ra=self.ra, rr=self.rr,
        )  # fmt: skip
