"""From a topic to a hint: a few words that make one request for a question unlike the next."""

import random
import re

from nightschool.school.examiner import TOPICS
from nightschool.school.puzzle import Puzzle
from nightschool.school.syllogisms import NOUNS


def hint(topic: str, rng: random.Random) -> str:
    """Draw what a model is asked to write a question about: groups, a row, a family, or two terms.

    Raises:
        KeyError: the topic is unknown.
    """
    return hint_of(TOPICS[topic].generate(rng, 1))


def hint_of(puzzle: Puzzle) -> str:
    """The hint that a puzzle could have been written from: its plan without the steps and the conclusion."""
    start = puzzle.plan.rsplit(" so ", 1)[0]
    match puzzle.topic:
        case "series":
            return " ".join(puzzle.question.removeprefix("Next in ").split()[:2])
        case "seating" | "blood_relations":
            return " ".join(re.findall(r"[A-Z]\w+", start))
        case _:
            return " ".join(word for word in start.split() if word in NOUNS)
