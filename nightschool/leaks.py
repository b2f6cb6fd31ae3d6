"""From training rows beside what is asked later: prompts that give their answer away, as evaluation's never will."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nightschool.records import Row
from nightschool.values.kinds import Kind
from nightschool.values.read import equal, read
from nightschool.wire import Message

RULES_VERSION = 1

# A sentence or a line: what one prompt says and the other does not, told apart in pieces of this size.
_PIECE = re.compile(r"(?<=[.!?])\s+|\n+")
# "Teacher: yes, ..." says as much as "Yes, ..."
_LABEL = re.compile(r"^\W{0,4}\w[\w ]{0,30}:\s{0,4}")
_QUOTES = str.maketrans({'"': " ", "'": " ", "{": " ", "}": " "})
_SHORTEST_TEXT = 3
_SHOWN = 3
_SHOWN_CHARS = 80

Turns = Sequence[Message]


class Asked(Row):
    """What is asked later about the question that a training row teaches, and the right answer to it."""

    prompt: tuple[Message, ...]
    answer: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Leak:
    """A prompt that states its own answer; `text` is where."""

    id: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Training's prompts beside evaluation's of the same questions: how many, which are other texts, which leak.

    `answers`: how many different ones there are to learn.
    """

    rows: int
    answers: int
    others: tuple[str, ...]
    leaks: tuple[Leak, ...]

    @property
    def told(self) -> str:
        """The leaks in one line: how many of how many, and the first of them."""
        first = "; ".join(f"row {leak.id} (line {leak.line}): {leak.text!r}" for leak in self.leaks[:_SHOWN])
        return (
            f"{len(self.leaks):,} of {self.rows:,} prompts give their answer away, and what is asked later does not: "
            f"{first}; leave it out of the prompt, or study it with leaks: allow"
        )


def compare(prompts: Iterable[tuple[str, Turns]], asked: Iterable[Asked]) -> Compared:
    """Looks for the answer in what a training prompt says beyond the prompt that evaluation has for its question.

    Few-shot examples, the choices and the question itself are in both, so that a number or a "yes" in them is no leak;
    a draft or a teacher's reasoning that evaluation shows as well is none either.

    Args:
        prompts: id and prompt of each training row, in file order.
        asked: of each row, in the same order, what is asked later about its question.

    Source: plan 002, where 1,036 of 1,037 prompts of chain of thought held the answer, and evaluation's did not.
    """
    rows, answers, others, leaks = 0, set[str](), [], []
    for line, ((row_id, prompt), later) in enumerate(zip(prompts, asked, strict=True), start=1):
        rows += 1
        answers.add(later.answer)
        if tuple(prompt) == later.prompt:
            continue
        others.append(row_id)
        if text := given_away(prompt, later):
            leaks.append(Leak(row_id, line, text))
    return Compared(rows, len(answers), tuple(others), tuple(leaks))


def given_away(prompt: Turns, later: Asked) -> str | None:
    """Where a prompt states the answer outside of what evaluation's prompt has too; None if it does not.

    A statement is what would be read out of a reply: boxed, marked, concluded ("the answer is no"), or all of it. So
    a piece of reasoning that leads to the answer and does not say it is no leak.
    """
    known = {piece.strip() for turn in later.prompt for piece in _PIECE.split(turn.content)}
    added = [piece for turn in prompt for piece in _PIECE.split(turn.content) if piece.strip() not in known]
    if not added:
        return None
    for piece in (*reversed(added), "\n".join(added)):
        if _states(piece, later.answer, later.kind):
            return _excerpt(piece)
    return None


def statements(text: str) -> tuple[str, str, str]:
    """A piece of text as it may say an answer: as it is, without its label, without quotes and braces."""
    return text, _LABEL.sub("", text), text.translate(_QUOTES)


def _states(text: str, answer: str, kind: Kind) -> bool:
    if kind == "text":
        plain, wanted = (" ".join(one.casefold().split()) for one in (text, answer))
        return len(wanted) >= _SHORTEST_TEXT and wanted in plain
    for said in statements(text):
        found = read(said, kind).value
        if found is not None and equal(answer, found, kind):
            return True
    return False


def _excerpt(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SHOWN_CHARS else f"...{plain[-_SHOWN_CHARS:]}"
