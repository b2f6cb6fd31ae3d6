"""Seating arrangements: who sits where, given clues about a row."""

import random

from nightschool.school.puzzle import PEOPLE, Puzzle, pick_three

_PLACES = {"second from left": 1, "third from left": 2, "second from right": 2, "third from right": 1,
           "first from right": 3}


class Seating:
    name = "seating"
    title = "Seating arrangements"

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        row = rng.sample(PEOPLE, 4)
        clues = [
            f"{right} is right of {left}." if rng.random() < 0.5 else f"{left} is left of {right}."
            for left, right in zip(row, row[1:])
        ]
        rng.shuffle(clues)
        place = rng.choice(list(_PLACES))
        right = row[_PLACES[place]]
        return Puzzle(
            topic=self.name,
            question=f"Row of 4. First is {row[0]}. {' '.join(clues)} Who is {place}?",
            right=right,
            distractors=pick_three(rng, [name for name in row if name != right]),
            plan=f"row {' '.join(row)} so {right}",
            level=level,
        )
