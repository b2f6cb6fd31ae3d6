"""From every teacher's solutions to one row a question, in the order of the questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nightschool.records import Question, Solutions, Solved

RULES_VERSION = 1


def merge(questions: Sequence[Question], solutions: Sequence[Solutions]) -> Iterator[Solved]:
    """Each question once, with what each teacher wrote on it; a teacher who is missing wrote nothing that came through.

    Matched by the question's id: no index that a filter could shift.

    Source: plan 004, merge_solutions.py; its one file pattern left one model's output empty.
    """
    found = {(row.id, row.teacher): row.said for row in solutions}
    teachers = list(dict.fromkeys(row.teacher for row in solutions))
    for question in questions:
        said = {name: found[question.id, name] for name in teachers if (question.id, name) in found}
        yield Solved(id=question.id, question=question, solutions=said)
