"""Syllogisms: what follows for two groups, given statements about groups."""

import random

from nightschool.school.puzzle import Puzzle, pick_three

NOUNS = ("cats", "mice", "lions", "dogs", "birds", "fish", "bears", "wolves", "trees", "roses", "stones", "cars",
         "kings", "boats", "bees", "toys")
LABELS = ("all", "no", "some", "some not", "unclear")
_CHAIN = {("all", "all"): "all", ("all", "no"): "no", ("some", "all"): "some", ("some", "no"): "some not"}


class Syllogisms:
    name = "syllogisms"
    title = "Syllogisms"

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        a, b, c = rng.sample(NOUNS, 3)
        label = rng.choices(LABELS, weights=(1, 1, 1, 1, 2))[0]
        pairs = [(p, q) for p in LABELS[:4] for q in LABELS[:4] if _CHAIN.get((p, q), "unclear") == label]
        first, second = rng.choice(pairs)
        premises = [_sentence(first, a, b), _sentence(second, b, c)]
        rng.shuffle(premises)
        return Puzzle(
            topic=self.name,
            question=f"Given {' '.join(premises)} What follows for {a} and {c}?",
            right=label,
            distractors=pick_three(rng, [other for other in LABELS if other != label]),
            plan=f"{a} {first} {b} {second} {c} so {label}",
            level=level,
        )


def _sentence(label: str, subject: str, predicate: str) -> str:
    if label == "some not":
        return f"Some {subject} are not {predicate}."
    return f"{label.capitalize()} {subject} are {predicate}."
