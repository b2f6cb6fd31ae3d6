"""From a question to a solution in free text that ends in a boxed answer: right as often as scripted."""

from __future__ import annotations

import random
from pathlib import Path

import orjson

from blocks.scripted.faults import point_of
from nightschool.errors import RecipeError

_OPENINGS = ("Let us look at what is given.", "We begin with what is known.", "Name the unknown first.")
_STEPS = (
    "Write the condition as an equation and collect its terms.",
    "Both sides can be divided by the common factor.",
    "Put this back into the first relation.",
    "The remaining case is symmetric, so it adds nothing.",
    "Simplify, and check the sign.",
    "Only one of the two roots fits the question.",
)


class AnswerKey:
    """Right answers by question; without a file, every question has a number of its own that counts as right.

    Raises:
        RecipeError: the file cannot be read, or a line of it is not a question with its answer.
    """

    def __init__(self, path: Path | None) -> None:
        self._known = dict(_read(path)) if path else {}

    def right(self, prompt: str) -> str:
        """The answer that counts as right: of the prompt, or of the last paragraph of it that is a known question."""
        for part in (prompt, *reversed(prompt.split("\n\n"))):
            for text in (part, part.partition(": ")[2]):
                if (found := self._known.get(_plain(text))) is not None:
                    return found
        return str(int(point_of(b"maths", prompt.encode()) * 1000))


def solve(right: str, share: float, rng: random.Random) -> str:
    """One solution; the right one at the given share, else a near miss, the same few for the same answer."""
    said = right if rng.random() < share else _near(right, rng)
    steps = " ".join(rng.sample(_STEPS, rng.randint(2, len(_STEPS))))
    return f"{rng.choice(_OPENINGS)} {steps} Therefore the answer is $\\boxed{{{said}}}$."


def _near(right: str, rng: random.Random) -> str:
    try:
        return str(int(right) + rng.choice((-2, -1, 1, 10)))
    except ValueError:
        return rng.choice((f"2({right})", f"-({right})", "0", "1"))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _read(path: Path) -> list[tuple[str, str]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as err:
        raise RecipeError(f"right answers cannot be read: {err.strerror}", file=path, field="script.answers") from None
    found: list[tuple[str, str]] = []
    for number, line in enumerate(lines, start=1):
        try:
            record = orjson.loads(line)
            question = record.get("question") or record["problem"]
            found.append((_plain(question), str(record["answer"])))
        except (ValueError, KeyError, AttributeError, TypeError):
            message = f"line {number} is not a question with its answer"
            raise RecipeError(message, file=path, field="script.answers") from None
    return found
