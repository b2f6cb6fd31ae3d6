"""From every teacher's solutions to one row a question, in the order of the questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nightschool.records import Matched, Question, Solution, Solutions, Solved

RULES_VERSION = 2


def merge(questions: Sequence[Question], solutions: Sequence[Solutions]) -> Iterator[Matched]:
    """Each question once, with what each teacher wrote on it; a teacher who is missing wrote nothing that came through.

    Matched by the question's id: no index that a filter could shift.

    Source: plan 004, merge_solutions.py; its one file pattern left one model's output empty.
    """
    found = {(row.id, row.teacher): row.said for row in solutions}
    teachers = list(dict.fromkeys(row.teacher for row in solutions))
    for question in questions:
        said = {name: found[question.id, name] for name in teachers if (question.id, name) in found}
        yield Matched(question, said)


def unread(matched: Matched) -> Solved:
    """The row of a night that looks for no value in its solutions."""
    solutions = {
        name: tuple(Solution(text=one.text, finish=one.finish, reasoning=one.reasoning) for one in said)
        for name, said in matched.solutions.items()
    }
    return Solved(id=matched.question.id, question=matched.question, solutions=solutions)
