"""From what the teachers wrote to what the committee hears of it, and from a question to what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from nightschool.lines import HeardLine, Place
from nightschool.records import Answer, Mark, Question
from nightschool.values.kinds import Kind
from nightschool.values.read import read_truth

# What was written on the way to a value, or where it lies.
Way = str | Place


class Heard(NamedTuple):
    """One sample of a teacher: its value (None = it says nothing), and the way to it.

    right: whether it is, as far as an exact check can tell; confidence: in [0, 1], where the sample comes with one.
    """

    value: str | None
    way: Way = ""
    right: bool | None = None
    confidence: float | None = None


Said = Mapping[str, Sequence[Heard]]


@dataclass(frozen=True, slots=True)
class Known:
    """What an exact check says of a question: its answer, or the reason why it has none."""

    by: Literal["solver", "truth"]
    answer: str | None
    reason: str | None = None


_MARKS: dict[Mark | None, bool] = {"right": True, "wrong": False, "no_answer": False}


def hear(question: Question, answers: Mapping[str, Answer], teachers: Sequence[str]) -> dict[str, list[Heard]]:
    """What every teacher said on a question with choices; one who is missing said nothing."""
    truth = question.truth
    return {
        name: [
            Heard(cast.letter, cast.reasoning, None if truth is None else cast.letter == truth, cast.confidence)
            for cast in (answers[name].casts if name in answers else ())
        ]
        for name in teachers
    }


def hear_solutions(
    solutions: Mapping[str, Sequence[HeardLine]],
    teachers: Sequence[str],
    sure: Mapping[str, Sequence[float | None]] | None = None,
) -> dict[str, list[Heard]]:
    """What every teacher wrote on a question; a solution without an answer is not right, as far as a truth is known.

    Args:
        sure: by teacher, how sure each sample says it is; else as sure as its server says.
    """
    return {
        name: [
            Heard(one.value, Place(name, place), _MARKS.get(one.mark), sure[name][place] if sure else one.confidence)
            for place, one in enumerate(solutions.get(name, ()))
        ]
        for name in teachers
    }


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
