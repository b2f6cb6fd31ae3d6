"""Alphanumeric series: the term that comes next."""

import random
from string import ascii_uppercase

from nightschool.school.puzzle import Puzzle, pick_three


class Series:
    name = "series"
    title = "Alphanumeric series"

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        letter_step, number_step = rng.randint(1, 2), rng.randint(1, 3)
        letter, number = rng.randrange(26 - 4 * letter_step), rng.randint(1, 87)
        terms = [(letter + i * letter_step, number + i * number_step) for i in range(5)]
        *shown, right = (f"{ascii_uppercase[a]}{b}" for a, b in terms)
        # A tiny model looks a choice up by one token: letters and last digits of the choices all differ.
        letters = rng.sample([i for i in (-3, -2, -1, 1, 2, 3) if terms[4][0] + i < 26], 3)
        numbers = rng.sample((-3, -2, -1, 1, 2, 3), 3)
        wrong = [f"{ascii_uppercase[terms[4][0] + i]}{terms[4][1] + j}" for i, j in zip(letters, numbers)]
        return Puzzle(
            topic=self.name,
            question=f"Next in {' '.join(shown)}?",
            right=right,
            distractors=pick_three(rng, wrong),
            plan=f"step {letter_step} {number_step} so {right}",
            level=level,
        )
