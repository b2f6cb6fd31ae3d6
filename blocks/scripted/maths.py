"""From a question to a solution in free text that ends in a boxed answer: right as often as scripted."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

from blocks.scripted.faults import point_of
from nightschool.question_file import read_records

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
    """Right answers by question; a question that no file knows has a number of its own that counts as right.

    Raises:
        DataError: the file cannot be read as rows.
        OSError: it cannot be read at all.
    """

    def __init__(self, path: Path | None) -> None:
        self._known: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for _, record in read_records(path) if path else ():
            question = _plain(str(record.get("question") or record.get("problem") or ""))
            if question and record.get("answer") is not None:
                self._known[_beginning(question)].append((question, str(record["answer"])))

    @lru_cache(maxsize=65_536)  # noqa: B019 - one key a server, and it lives as long
    def right(self, prompt: str) -> str:
        """The answer that counts as right: of the known question that begins some line of the prompt, else made up."""
        lines = prompt.splitlines() if self._known else []
        for place in range(len(lines)):
            rest = _plain("\n".join(lines[place:]))
            for text in (rest, rest.partition(": ")[2]):
                for question, answer in self._known.get(_beginning(text), ()):
                    if text.startswith(question):
                        return answer
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


def _beginning(text: str) -> str:
    return " ".join(text.split(" ", 3)[:3])
