"""Blood relations: what one person is to another, given who is what to whom.

A name says nothing about a person's sex; the words of the question do. Conventions: see `kinship`.
"""

import random
import re
from collections.abc import Sequence

from nightschool.school.kinship import KINDS, WORDS, Fact, related
from nightschool.school.puzzle import MEN, WOMEN, Malformed, Puzzle, Unsolvable, pick_three
from nightschool.school.reading import NAME, statements, tidy, unreadable

# Two steps that a tiny model learns: relation of the first to the second, and of the second to the third.
_TWO_STEPS = (
    ("parent", "parent"),
    ("child", "child"),
    ("sibling", "parent"),
    ("child", "sibling"),
    ("sibling", "sibling"),
    ("parent", "sibling"),
    ("sibling", "child"),
)
_PLAIN = ("parent", "child", "sibling", "grandparent", "grandchild", "pibling", "nibling")
_STEPS = ("parent", "child", "sibling", "spouse")
_SAYINGS = ("{a} is {word} of {b}.", "{a} is the {word} of {b}.", "{a} is {b}'s {word}.")
MAX_PEOPLE = 8

_SYNONYMS = {
    "mum": "mother",
    "mom": "mother",
    "dad": "father",
    "grandpa": "grandfather",
    "grandma": "grandmother",
    "man": "male",
    "boy": "male",
    "woman": "female",
    "girl": "female",
}
_WORD = "(" + "|".join(sorted((re.sub("-", "[- ]?", w) for w in (*KINDS, *_SYNONYMS)), key=len, reverse=True)) + ")"
_FACTS = [
    (re.compile(pattern.replace("N", NAME).replace("WORD", _WORD), re.IGNORECASE), order)
    for pattern, order in (
        (r"N is (?:the |an? )?WORD (?:of|to) N", "awb"),
        (r"N is N's WORD", "abw"),
        (r"N's WORD is N", "bwa"),
        (r"N has an? WORD(?: named| called)? N", "bwa"),
        (r"N is (?:an? )?WORD", "aw"),
        (r"N (?:is|are) married to N", "ab"),
    )
]
_QUESTION = re.compile(
    rf"{NAME} is what (?:to|of) {NAME}|(?:what|who)(?: relation)? is {NAME} (?:to|of) {NAME}"
    rf"|how is {NAME} related to {NAME}|what is {NAME}'s relation(?:ship)? (?:to|with) {NAME}",
    re.IGNORECASE,
)
_NOT_NAMES = re.compile(r"who|what|nobody|someone|everyone|he|she|they|it|one|the|this|that|and|or|not", re.IGNORECASE)


class BloodRelations:
    """Level 1: two steps; 2 and 3: chains of three and four, either way round, husbands and wives among them."""

    name = "blood_relations"
    title = "Blood relations"

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        if level == 1:
            return self._puzzle(rng, 1, [(relation, False) for relation in rng.choice(_TWO_STEPS)])
        while True:
            links = [(rng.choice(_STEPS), rng.random() < 0.4) for _ in range(level + 1)]
            try:
                return self._puzzle(rng, level, links)
            except Unsolvable:
                # Most chains at random have no name, or several.
                continue

    def _puzzle(self, rng: random.Random, level: int, links: Sequence[tuple[str, bool]]) -> Puzzle:
        """A chain of people; a link says what one is to the next, or turned round the next to the one."""
        people, woman = _cast(rng, links)
        facts = [
            (people[i + turned], WORDS[relation][woman[i + turned]], people[i + 1 - turned])
            for i, (relation, turned) in enumerate(links)
        ]
        sayings = _SAYINGS[:1] if level == 1 else _SAYINGS
        clues = [rng.choice(sayings).format(a=a, word=word, b=b) for a, word, b in facts]
        rng.shuffle(clues)
        question = f"{'Say ' if level == 1 else ''}{' '.join(clues)} {people[0]} is what to {people[-1]}?"
        right = self.solve(question)
        if level == 1:
            plan = f"{people[0]} {facts[0][1]} {people[1]} {facts[1][1]} {people[2]} so {right}"
            wrong = [word for relation in _PLAIN for word in WORDS[relation][:2] if word != right]
        else:
            plan = ", ".join(" ".join(fact) for fact in facts) + f" so {right}"
            # Of one sex, so that a choice isn't ruled out by that alone.
            wrong = [pair[woman[0]] for pair in WORDS.values() if pair[woman[0]] != right]
        return Puzzle(self.name, question, right, pick_three(rng, wrong), plan, level)

    def solve(self, question: str) -> str:
        numbers: dict[str, int] = {}
        facts: list[Fact] = []
        asked: list[tuple[int, int]] = []
        for statement in statements(tidy(question)):
            if match := _QUESTION.fullmatch(statement):
                one, other = (_number(name, numbers) for name in match.groups() if name)
                asked.append((one, other))
            else:
                facts.append(_read(statement, numbers))
        if len(asked) != 1 or asked[0][0] == asked[0][1] or not 2 <= len(numbers) <= MAX_PEOPLE:
            raise Malformed(f"needs one question about two of at most {MAX_PEOPLE} people")
        if not set(asked[0]) <= {person for fact in facts for person in fact[1:]}:
            raise Malformed("asks about someone of whom nothing is said")
        return related(tuple(facts), len(numbers), *asked[0])


def _read(statement: str, numbers: dict[str, int]) -> Fact:
    for pattern, order in _FACTS:
        if match := pattern.fullmatch(statement):
            said = dict(zip(order, match.groups(), strict=True))
            word = re.sub(r"[- ]", "-", said.get("w", "spouse").lower())
            word = _SYNONYMS.get(word, word)
            if ("b" in said) == (word in ("male", "female")):
                break
            one = _number(said["a"], numbers)
            other = _number(said.get("b", said["a"]), numbers)
            if one == other and "b" in said:
                break
            return word, one, other
    raise unreadable(statement)


def _number(name: str, numbers: dict[str, int]) -> int:
    """A person's number; newcomers get the next."""
    if _NOT_NAMES.fullmatch(name):
        raise Malformed(f"not a name: {name!r}")
    return numbers.setdefault(name.casefold(), len(numbers))


def _cast(rng: random.Random, links: Sequence[tuple[str, bool]]) -> tuple[list[str], list[bool]]:
    """Names for a chain of people, and who is a woman: husband and wife differ."""
    woman = [rng.random() < 0.5]
    for relation, _ in links:
        woman.append(not woman[-1] if relation == "spouse" else rng.random() < 0.5)
    men, women = iter(rng.sample(MEN, len(woman))), iter(rng.sample(WOMEN, len(woman)))
    return [next(women if is_woman else men) for is_woman in woman], woman
