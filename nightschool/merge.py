"""From questions and every teacher's lines to what each said on each, in the order of the questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from nightschool.errors import DataError

# A merged row repeats one text, the one that is taught; whoever reads the others finds them in the answers.
RULES_VERSION = 4


class Named(Protocol):
    """A row that has a question's id."""

    @property
    def id(self) -> str: ...


Q = TypeVar("Q", bound=Named)
S = TypeVar("S", bound=Named)


def beside(questions: Iterable[Q], solutions: Mapping[str, Iterable[S]]) -> Iterator[tuple[Q, dict[str, S]]]:
    """Each question once, with what each teacher has on it; a teacher who is missing wrote nothing that came through.

    Matched by the question's id: no index that a filter could shift. Only one row of each is held.

    Args:
        solutions: by teacher, in the questions' order, as the answers phase leaves them.

    Raises:
        DataError: a teacher's rows are in another order, or to a question that is none of these.

    Source: plan 004, merge_solutions.py; its one file pattern left one model's output empty.
    """
    rows = {name: iter(each) for name, each in solutions.items()}
    heads = {name: next(each, None) for name, each in rows.items()}
    for question in questions:
        found: dict[str, S] = {}
        for name, head in heads.items():
            if head is not None and head.id == question.id:
                found[name], heads[name] = head, next(rows[name], None)
        yield question, found
    for name, head in heads.items():
        if head is not None:
            raise DataError(f"{name}'s answer {head.id} comes out of order, or answers no question: make them anew")
