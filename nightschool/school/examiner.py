"""From a topic's name to its puzzles: generation without repeats, and the split that keeps tests out of training."""

import random
import re
from collections.abc import Container, Mapping, Sequence
from hashlib import blake2b

from nightschool.errors import RecipeError
from nightschool.school.blood_relations import BloodRelations
from nightschool.school.puzzle import Puzzle, Topic
from nightschool.school.seating import Seating
from nightschool.school.series import Series
from nightschool.school.syllogisms import Syllogisms

TOPICS: Mapping[str, Topic] = {t.name: t for t in (Syllogisms(), Seating(), BloodRelations(), Series())}
# This many draws in a row without a new question: the space is spent.
_PATIENCE = 3_000


def normalise(question: str) -> str:
    """The question as compared with others: lower case, words and numbers only, one space between."""
    return " ".join(re.findall(r"\w+", question.casefold()))


def held_out(question: str) -> bool:
    """Whether a question is reserved for tests: a fixed eighth, by hash of the normalised text."""
    return blake2b(normalise(question).encode("utf-8", "replace"), digest_size=4).digest()[0] % 8 == 0


_is_held_out = held_out


def generate(topic: str, n: int, *, seed: int, levels: Sequence[int] = (1,), held_out: bool = False,
             avoid: Container[str] = ()) -> list[Puzzle]:
    """Make `n` distinct puzzles on the wanted side of the held-out line; levels take turns."""
    rng = random.Random(f"{topic}:{seed}")
    puzzles: list[Puzzle] = []
    seen: set[str] = set()
    misses = 0
    while len(puzzles) < n:
        puzzle = TOPICS[topic].generate(rng, levels[len(puzzles) % len(levels)])
        text = normalise(puzzle.question)
        if text in seen or text in avoid or _is_held_out(puzzle.question) != held_out:
            misses += 1
            if misses > _PATIENCE:
                raise RecipeError(f"topic {topic} has no {n} distinct questions", field="n", value=n)
            continue
        misses = 0
        seen.add(text)
        puzzles.append(puzzle)
    return puzzles
