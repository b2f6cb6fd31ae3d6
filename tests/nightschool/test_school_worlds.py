"""The solvers against brute force: every world of three groups, every arrangement, families drawn at random."""

import random
from itertools import chain, combinations, permutations

import pytest

from nightschool import school
from nightschool.school.kinship import KINDS, WORDS
from nightschool.school.seating_clues import Hall, holds, read_clue


def outcome(topic: str, question: str) -> str:
    try:
        return school.TOPICS[topic].solve(question)
    except school.Malformed:
        return "malformed"
    except school.Unsolvable:
        return "unsolvable"


CLAIMS = {
    "all": ("All {} are {}.", lambda here, there: here <= there),
    "no": ("No {} are {}.", lambda here, there: not here & there),
    "some": ("Some {} are {}.", lambda here, there: bool(here & there)),
    "some not": ("Some {} are not {}.", lambda here, there: bool(here - there)),
}


def test_syllogisms_against_every_world_of_three_groups():
    groups = ("cats", "dogs", "birds")
    kinds = [frozenset(kind) for n in (1, 2, 3) for kind in combinations(groups, n)]
    worlds = []
    for things in chain.from_iterable(combinations(kinds, n) for n in range(1, 8)):
        world = {group: {thing for thing in things if group in thing} for group in groups}
        worlds += [world] if all(world.values()) else []
    rng = random.Random(0)
    seen = set()
    for _ in range(200):
        premises = [(rng.choice(list(CLAIMS)), *rng.sample(groups, 2)) for _ in range(rng.randint(1, 4))]
        s, p = rng.sample(sorted({group for _, *pair in premises for group in pair}), 2)
        fitting = [w for w in worlds if all(CLAIMS[label][1](w[a], w[b]) for label, a, b in premises)]
        follows = [label for label, (_, holds_in) in CLAIMS.items() if all(holds_in(w[s], w[p]) for w in fitting)]
        if not fitting or (len(follows) > 1 and follows not in (["all", "some"], ["no", "some not"])):
            expected = "unsolvable"
        else:
            expected = follows[0] if follows else "unclear"
        text = " ".join(CLAIMS[label][0].format(a, b) for label, a, b in premises)
        assert outcome("syllogisms", f"{text} What follows for {s} and {p}?") == expected, text
        seen.add(expected)
    assert seen == {*CLAIMS, "unclear", "unsolvable"}


CLUES = [
    "{} is left of {}",
    "{} is directly right of {}",
    "{} is not next to {}",
    "{} is next to {}",
    "{} is between {} and {}",
    "{} is at an end",
    "{} is two places left of {}",
    "{} is second from right",
]


@pytest.mark.parametrize("hall", [Hall(1, 5), Hall(2, 3)])
def test_seating_against_every_arrangement(hall: Hall):
    people = ["leo", "dan", "ivy", "tom", "max", "amy"][: hall.seats]
    forms = CLUES + (["{} faces {}", "{} is in the front row"] if hall.rows == 2 else [])
    questions = ["{} faces leo", "{} is last in the front row"] if hall.rows == 2 else ["{} is first", "{} is last"]
    seats = "a row" if hall.rows == 1 else f"two rows of {hall.width} that face each other"
    worlds = [dict(zip(order, range(hall.seats), strict=True)) for order in permutations(people)]
    rng = random.Random(0)
    seen = set()

    def true(line: str, world: dict[str, int]) -> bool:
        clue = read_clue(line, hall)
        return holds(clue, [world[who] for who in clue.who], hall.width)

    for _ in range(40):
        seated = rng.choice(worlds)
        lines: list[str] = []
        while len(lines) < hall.seats + 1:
            line = rng.choice(forms).format(*rng.sample(people, 3))
            lines += [line] if true(line, seated) or rng.random() < 0.02 else []
        asked = rng.choice(["{} is next to leo", *questions])
        fitting = worlds
        for line in lines:
            fitting = [world for world in fitting if true(line, world)]
        able = [
            name
            for name in people
            if ("leo" not in asked or name != "leo") and any(true(asked.format(name), world) for world in fitting)
        ]
        expected = able[0] if len(able) == 1 else "unsolvable"
        text = f"{', '.join(people[:-1])} and {people[-1]} sit in {seats}. {'. '.join(lines)}. {asked.format('Who')}?"
        assert outcome("seating", text) == expected, text
        seen.add(expected)
    assert "unsolvable" in seen
    assert len(seen) > 4


class Clan:
    """Two or three generations, drawn at random; who is what to whom, by the plain definitions."""

    def __init__(self, rng: random.Random) -> None:
        self.sex: dict[str, str] = {}
        self.parents: dict[str, tuple[str, str]] = {}
        self.spouse: dict[str, str] = {}
        names = iter("abcdefghijklmnopqrstuvwxyz")

        def born(sex: str, parents: tuple[str, str] | None = None) -> str:
            name = f"{next(names)}x"
            self.sex[name] = sex
            if parents:
                self.parents[name] = parents
            return name

        couples = [(born("m"), born("f")) for _ in range(2)]
        while couples:
            father, mother = couples.pop()
            self.spouse |= {father: mother, mother: father}
            children = [born(rng.choice("mf"), (father, mother)) for _ in range(rng.randint(1, 3))]
            if len(self.sex) < 16:
                child = rng.choice(children)
                couples.append((child, born("f")) if self.sex[child] == "m" else (born("m"), child))

    def siblings(self, who: str) -> set[str]:
        return {
            other
            for other in self.sex
            if other != who and who in self.parents and self.parents.get(other) == self.parents[who]
        }

    def above(self, who: str) -> list[set[str]]:
        """The person, the parents, the grandparents, the great-grandparents."""
        lines = [{who}]
        for _ in range(3):
            lines.append({parent for person in lines[-1] for parent in self.parents.get(person, ())})
        return lines

    def relations(self, x: str, y: str) -> set[str]:
        up_x, up_y = self.above(x), self.above(y)
        found = {name for name, n in (("parent", 1), ("grandparent", 2), ("great-grandparent", 3)) if x in up_y[n]}
        found |= {name for name, n in (("child", 1), ("grandchild", 2), ("great-grandchild", 3)) if y in up_x[n]}
        brothers_x, brothers_y = self.siblings(x), self.siblings(y)
        wed_x, wed_y = self.spouse.get(x), self.spouse.get(y)
        tests = {
            "sibling": y in brothers_x,
            "pibling": bool(up_y[1] & brothers_x),
            "nibling": bool(up_x[1] & brothers_y),
            "cousin": any(self.siblings(p) & up_y[1] for p in up_x[1]),
            "spouse": wed_x == y,
            "parent-in-law": wed_y in self.parents and x in self.parents[wed_y],
            "child-in-law": wed_x in self.parents and y in self.parents[wed_x],
            "sibling-in-law": wed_y in brothers_x or wed_x in brothers_y,
        }
        return found | {name for name, true in tests.items() if true}


def test_blood_relations_are_true_in_the_family_that_the_facts_came_from():
    rng = random.Random(0)
    answers = []
    for _ in range(250):
        clan = Clan(rng)
        people = rng.sample(sorted(clan.sex), min(7, len(clan.sex)))
        pairs = [(x, y, relation) for x, y in permutations(people, 2) for relation in sorted(clan.relations(x, y))]
        facts = rng.sample(pairs, min(5, len(pairs)))
        lines = [f"{x} is {WORDS[relation]['mf'.index(clan.sex[x])]} of {y}." for x, y, relation in facts]
        one, other, _ = rng.choice(pairs)
        answer = outcome("blood_relations", f"{' '.join(lines)} {one} is what to {other}?")
        if answer in KINDS:
            relation, sex = KINDS[answer]
            assert relation in clan.relations(one, other), lines
            assert sex in (None, clan.sex[one])
            answers.append(relation)
    assert len(answers) > 60
    assert len(set(answers)) >= 12
