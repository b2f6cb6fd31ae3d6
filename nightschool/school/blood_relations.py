"""Blood relations: what one person is to another, given who is what to whom."""

import random

from nightschool.school.puzzle import MEN, WOMEN, Puzzle, pick_three

_PAIRS = {"parent": ("father", "mother"), "child": ("son", "daughter"), "sibling": ("brother", "sister"),
          "grandparent": ("grandfather", "grandmother"), "grandchild": ("grandson", "granddaughter"),
          "pibling": ("uncle", "aunt"), "nibling": ("nephew", "niece")}
_COMPOSED = {("parent", "parent"): "grandparent", ("child", "child"): "grandchild", ("sibling", "parent"): "pibling",
             ("child", "sibling"): "nibling", ("sibling", "sibling"): "sibling", ("parent", "sibling"): "parent",
             ("sibling", "child"): "child"}


class BloodRelations:
    name = "blood_relations"
    title = "Blood relations"

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        first, second = rng.choice(list(_COMPOSED))
        sexes = [rng.randrange(2) for _ in range(3)]
        men, women = rng.sample(MEN, 3), rng.sample(WOMEN, 3)
        a, b, c = (men[i] if sex == 0 else women[i] for i, sex in enumerate(sexes))
        one, two = _PAIRS[first][sexes[0]], _PAIRS[second][sexes[1]]
        right = _PAIRS[_COMPOSED[first, second]][sexes[0]]
        clues = [f"{a} is {one} of {b}.", f"{b} is {two} of {c}."]
        rng.shuffle(clues)
        return Puzzle(
            topic=self.name,
            question=f"Say {' '.join(clues)} {a} is what to {c}?",
            right=right,
            distractors=pick_three(rng, [word for pair in _PAIRS.values() for word in pair if word != right]),
            plan=f"{a} {one} {b} {two} {c} so {right}",
            level=level,
        )
