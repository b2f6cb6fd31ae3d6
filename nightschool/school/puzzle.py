"""What every topic of the school shares: the puzzle, the two refusals, and the cast of names."""

import random
from dataclasses import dataclass
from typing import Literal, Protocol

Status = Literal["ok", "wrong_key", "unsolvable", "malformed"]

LEVELS = (1, 2, 3)
# Longer questions are refused unread: it bounds the time that a hostile text can take.
MAX_QUESTION_CHARS = 2_000

MEN = ("Leo", "Dan", "Tom", "Max", "Sam", "Bob", "Ben", "Jim")
WOMEN = ("Ivy", "Amy", "Eve", "Zoe", "Mia", "Ann", "Kim", "Joy")
PEOPLE: tuple[str, ...] = MEN + WOMEN


class Malformed(ValueError):
    """The text can't be read as a question of its topic."""


class Unsolvable(ValueError):
    """The question can be read, but has no answer, or several."""


@dataclass(frozen=True, slots=True)
class Puzzle:
    """One question with its right answer, three wrong ones, and the short reasoning (`plan`) that leads to `right`."""

    topic: str
    question: str
    right: str
    distractors: tuple[str, str, str]
    plan: str
    level: int


@dataclass(frozen=True, slots=True)
class Check:
    """What the examiner says of a question; `right` is the solver's answer where there is one."""

    status: Status
    right: str | None
    detail: str


class Topic(Protocol):
    """A kind of question that can be made by the thousand and solved exactly."""

    name: str
    title: str

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        """Make one puzzle of a level in `LEVELS`; the same state of `rng` makes the same puzzle."""
        ...

    def solve(self, question: str) -> str:
        """Answer from the text alone, in the wording that the topic's choices use.

        Raises:
            Malformed: the text can't be read.
            Unsolvable: no answer, or several.
        """
        ...


def pick_three(rng: random.Random, wrong: list[str]) -> tuple[str, str, str]:
    """Draw three distinct distractors; `wrong` holds at least three, none of them right."""
    first, second, third = rng.sample(wrong, 3)
    return first, second, third
