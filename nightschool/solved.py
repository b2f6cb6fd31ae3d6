"""The rows of the merge: a question with what was read out of every solution, and the one text that is taught."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from nightschool.records import Agreed, Mark, Question, Results, Row


class Solution(BaseModel):
    """The answer read out of a `Said`, or the `reason` why none was; no mark where no truth is known.

    Its text stays where it is: the same place of the teacher's `Solutions`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str | None = None
    reason: str | None = None
    mark: Mark | None = None
    confidence: float | None = None


class Shown(BaseModel):
    """The one of a question's solutions that is taught if its answer is: whose, which sample, and its text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    teacher: str
    sample: int
    text: str


class Solved(Row):
    """A question with every teacher's solutions by name, in its file's order; `results` by teacher, `agreed` over all.

    Source: plan 004, merge_solutions.py and filter_solutions.py.
    """

    question: Question
    solutions: dict[str, tuple[Solution, ...]]
    results: dict[str, Results] = {}
    agreed: Agreed | None = None
    shown: Shown | None = None
