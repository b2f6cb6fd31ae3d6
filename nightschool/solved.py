"""The rows of the merge: a question with what was read out of every solution, and the one text that is taught."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from nightschool.records import Agreed, Mark, Question, Results, Row


class Readings(BaseModel):
    """What was read out of one teacher's solutions, side by side, in the order of its samples.

    Of each its value, or the reason why it has none; its mark, where a truth is known; how sure its server was of it.
    The texts stay where they are: at the same places of the teacher's `Solutions`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    values: tuple[str | None, ...]
    reasons: tuple[str | None, ...]
    marks: tuple[Mark | None, ...]
    sure: tuple[float | None, ...]


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
    solutions: dict[str, Readings]
    results: dict[str, Results] = {}
    agreed: Agreed | None = None
    shown: Shown | None = None
