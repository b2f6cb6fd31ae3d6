"""From what the teachers wrote to what the committee hears of it, and from a question to what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from nightschool.lines import MarkedLine
from nightschool.records import Answer, Mark, Question
from nightschool.values.kinds import Kind
from nightschool.values.read import read_truth

# What was written on the way to a value, or the teacher and the number of the sample where that lies.
Way = str | tuple[str, int]


class Heard(NamedTuple):
    """One teacher's samples of a question, side by side: the value of each, None where it says nothing.

    rights: whether each is right, as far as an exact check can tell; sure: in [0, 1], where a sample comes with it;
    texts: what led to each value, unless that lies elsewhere.
    """

    values: Sequence[str | None]
    rights: Sequence[bool | None]
    sure: Sequence[float | None]
    texts: Sequence[str] | None = None


Said = Mapping[str, Heard]


@dataclass(frozen=True, slots=True)
class Known:
    """What an exact check says of a question: its answer, or the reason why it has none."""

    by: Literal["solver", "truth"]
    answer: str | None
    reason: str | None = None


class Case(NamedTuple):
    """What a committee rules on: a question's id, and what each teacher said on it, in recipe order.

    names: which values are one answer, see `nightschool.voting.named`; drawn: the way that was drawn already, and is
    taught if it leads to the answer.
    """

    id: str
    said: Said
    known: Known | None = None
    names: Mapping[str, str] = {}
    drawn: Way | None = None


_MARKS: dict[Mark | None, bool] = {"right": True, "wrong": False, "no_answer": False}


def hear(question: Question, answers: Mapping[str, Answer], teachers: Sequence[str]) -> dict[str, Heard]:
    """What every teacher said on a question with choices; one who is missing said nothing."""
    found: dict[str, Heard] = {}
    for name in teachers:
        casts = answers[name].casts if name in answers else ()
        found[name] = Heard(
            [one.letter for one in casts],
            [None if question.truth is None else one.letter == question.truth for one in casts],
            [one.confidence for one in casts],
            [one.reasoning for one in casts],
        )
    return found


def hear_solutions(
    solutions: Mapping[str, MarkedLine],
    teachers: Sequence[str],
    sure: Mapping[str, Sequence[float | None]] | None = None,
) -> dict[str, Heard]:
    """What every teacher wrote on a question; a solution without an answer is not right, as far as a truth is known.

    Args:
        sure: by teacher, how sure each sample says it is; else as sure as its server says.
    """
    found: dict[str, Heard] = {}
    for name in teachers:
        if each := solutions.get(name):
            stated = each.sure if sure is None else sure[name]
            found[name] = Heard(each.values, [_MARKS.get(mark) for mark in each.marks], stated)
        else:
            found[name] = Heard((), (), ())
    return found


def truth_of(answer: str | None, kind: Kind) -> Known | None:
    """The file's answer to a question; None where it has none that can be read."""
    value = read_truth(answer, kind).value if answer is not None else None
    return Known("truth", value) if value is not None else None


def known(question: Question, *, solver: bool, truth: bool = False) -> Known | None:
    """What the solver, or a file's `truth`, says of a question with choices; None where neither does.

    A wrong key may lack the right choice altogether: no letter is true then, and the solver rejects it all the same.
    """
    if truth:
        return Known("truth", question.truth) if question.truth else None
    if not solver or question.check == "malformed":
        return None
    return Known("solver", question.truth) if question.check == "ok" else Known("solver", None, question.check)
