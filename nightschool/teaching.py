"""From an accepted answer to what the student is to write: the way to it and the answer, or the answer alone."""

from __future__ import annotations

from typing import Literal

from nightschool import answers
from nightschool.leaks import Asked
from nightschool.records import LETTERS
from nightschool.values.kinds import Fallback, Kind
from nightschool.values.read import equal, read
from nightschool.wire import Choice

Form = Literal["reasoning", "answer"]


def taught(reasoning: str, answer: str, kind: Kind, *, form: Form, letters: bool) -> str:
    """What the student is to write: the way to the answer and the answer, or the answer alone.

    Args:
        reasoning: of a night of letters the way without the answer, else a whole solution.
        letters: whether replies are JSON with a letter.

    Source: plan 002, tracks A (`Question -> Answer`) and B (with the teacher's reasoning, which stood in the prompt).
    """
    if letters:
        return answers.completion(reasoning if form == "reasoning" else "", answer)
    if form == "answer" or not reasoning.strip():
        return stating(answer, kind)
    whole = reasoning.strip()
    with_end = f"{whole}\n{stating(answer, kind)}"
    # Last resort: a way that is read as another answer, whatever follows it, is no way to this one.
    return next((text for text in (whole, with_end) if _says(text, answer, kind)), stating(answer, kind))


def _says(text: str, answer: str, kind: Kind) -> bool:
    found = read(text, kind).value
    return found is not None and equal(answer, found, kind) is not False


def stating(answer: str, kind: Kind) -> str:
    """A sentence that says an answer and nothing else, and is read back as just that."""
    match kind:
        case "yes_no":
            return f"{answer.capitalize()}."
        case "latex":
            return f"\\boxed{{{answer}}}"
        case "text":
            return answer
        case _:
            return f"The answer is {answer}."


def right(asked: Asked, text: str, finish: str, *, letters: bool, fallback: Fallback) -> bool:
    """Whether a student's reply says the answer; one that was cut off, or cannot be read, does not.

    Args:
        asked: with an answer of a kind that compares as it stands: a letter, yes or no, a number.
        letters: whether replies are JSON with a letter.
    """
    if letters:
        choice = Choice(text=text, finish=finish)
        return answers.cast(choice, choices=len(LETTERS), repair=False).letter == asked.answer
    found = read(text, asked.kind, fallback=fallback).value
    return found is not None and finish == "stop" and bool(equal(asked.answer, found, asked.kind))
