"""Alphanumeric series: the term that comes next.

A term is letters (counted round the alphabet, Z to A) and numbers; each place of the term goes its own way, by one of
the rules of `_RULES`. A rule counts only if the terms shown are more than it needs, and all that count must agree.
"""

import random
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from string import ascii_uppercase

from nightschool.school.puzzle import Malformed, Puzzle, Unsolvable, pick_three
from nightschool.school.reading import tidy

MAX_TERMS = 12
_TERM = re.compile(r"[A-Z]{0,4}(?:\d{1,6}[A-Z]{0,4})?", re.IGNORECASE | re.ASCII)
_PLACE = re.compile(r"[A-Z]|\d+")
_ASKING = re.compile(
    r"(?:the|this|alphanumeric|series|sequence|in|of|and|to|is|what|which|comes?|should|find|give|given|question"
    r"|term|element|number)|(next|after|follows|continue|complete)",
    re.IGNORECASE,
)

# From the values of one place (letters from 0) and the modulus (26 or None) to the next value; None = doesn't fit.
Rule = Callable[[Sequence[int], int | None], int | None]


def _steady(values: Sequence[int], modulus: int | None) -> int | None:
    steps = _steps(values, modulus)
    return values[-1] + steps[0] if len(values) >= 3 and len(set(steps)) == 1 else None


def _changing(values: Sequence[int], modulus: int | None) -> int | None:
    """The step itself goes up or down steadily."""
    steps = _steps(values, modulus)
    changes = _steps(steps, modulus)
    return values[-1] + steps[-1] + changes[0] if len(values) >= 4 and len(set(changes)) == 1 else None


def _alternating(values: Sequence[int], modulus: int | None) -> int | None:
    """Two steps take turns."""
    steps = _steps(values, modulus)
    return values[-1] + steps[-2] if len(values) >= 4 and steps[2:] == steps[:-2] else None


def _interleaved(values: Sequence[int], modulus: int | None) -> int | None:
    """Two steady series take turns."""
    both = len(values) >= 6 and _steady(values[-1::-2][::-1], modulus) is not None
    return _steady(values[-2::-2][::-1], modulus) if both else None


def _multiplied(values: Sequence[int], modulus: int | None) -> int | None:
    if modulus or len(values) < 3 or 0 in values or values[0] == values[1]:
        return None
    if any(b * values[0] != a * values[1] for a, b in pairwise(values)):
        return None
    after, rest = divmod(values[-1] * values[1], values[0])
    return None if rest else after


def _summed(values: Sequence[int], modulus: int | None) -> int | None:
    """Each is the sum of the two before."""
    sums = [a + b for a, b in pairwise(values)]
    fits = not modulus and len(values) >= 4 and sums[:-1] == list(values[2:])
    return sums[-1] if fits else None


_RULES: tuple[Rule, ...] = (_steady, _changing, _alternating, _interleaved, _multiplied, _summed)


class Series:
    """Level 1: a letter and a number, steady; 2: one of them changes its step; 3: two series take turns."""

    name = "series"
    title = "Alphanumeric series"

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        while True:
            puzzle = (_steady_puzzle, _changing_puzzle, _interleaved_puzzle)[level - 1](rng)
            try:
                if self.solve(puzzle.question) == puzzle.right:
                    return puzzle
            except Unsolvable:
                # Another rule fits by chance.
                continue

    def solve(self, question: str) -> str:
        return following(_read(tidy(question)))


def following(terms: Sequence[str]) -> str:
    """The next term.

    Raises:
        Unsolvable: no rule fits, or rules that fit disagree.
        Malformed: the terms are built differently.
    """
    rows = [[int(p) if p.isdigit() else ascii_uppercase.index(p) for p in _PLACE.findall(term)] for term in terms]
    shapes = [re.sub(r"\d+", "0", re.sub(r"[A-Z]", "A", term)) for term in terms]
    if len(set(shapes)) > 1:
        own = shapes[-2::-2]
        if len(terms) < 6 or len(set(own)) > 1 or len(set(shapes[-1::-2])) > 1:
            raise Malformed("the terms are built differently")
        return following(terms[-2::-2][::-1])
    after = ""
    for place, kind in enumerate(shapes[0]):
        value = _next([row[place] for row in rows], 26 if kind == "A" else None)
        after += ascii_uppercase[value] if kind == "A" else str(value)
    return after


def _next(values: Sequence[int], modulus: int | None) -> int:
    found = {after % modulus if modulus else after for rule in _RULES if (after := rule(values, modulus)) is not None}
    if len(found) != 1:
        raise Unsolvable("rules that fit disagree" if found else "no rule fits")
    (after,) = found
    if after < 0:
        raise Unsolvable("falls below zero")
    return after


def _steps(values: Sequence[int], modulus: int | None) -> list[int]:
    return [(b - a) % modulus if modulus else b - a for a, b in pairwise(values)]


def _read(text: str) -> list[str]:
    """The terms: what is left when the words that ask are taken from both ends.

    Raises:
        Malformed: something else is left, or nothing asks for the next term, or fewer than 3 terms or too many.
    """
    if text.isupper():
        text = text.lower()
    words = re.sub(r"[\s,.;:?!_'\"()\[\]]+", " ", text).split()
    start, end = 0, len(words)
    while start < end and _asks(words[start]):
        start += 1
    while end > start and _asks(words[end - 1]):
        end -= 1
    terms = [word.upper() for word in words[start:end]]
    if not any(match[1] for word in words[:start] + words[end:] if (match := _ASKING.fullmatch(word))):
        raise Malformed("doesn't ask for the next term")
    if not 3 <= len(terms) <= MAX_TERMS or not all(_TERM.fullmatch(term) for term in terms):
        raise Malformed(f"needs 3 to {MAX_TERMS} terms of letters and numbers")
    return terms


def _asks(word: str) -> bool:
    """Whether a word belongs to the asking; `IN` and `OF` in capitals are terms."""
    return bool(_ASKING.fullmatch(word)) and (len(word) > 2 or not word.isupper())


def _term(letter: int, number: int) -> str:
    return f"{ascii_uppercase[letter % 26]}{number}"


def _steady_puzzle(rng: random.Random) -> Puzzle:
    letter_step, number_step = rng.randint(1, 2), rng.randint(1, 3)
    letter, number = rng.randrange(26 - 4 * letter_step), rng.randint(10, 49)
    terms = [(letter + i * letter_step, number + i * number_step) for i in range(5)]
    # A tiny model looks a choice up by one token: letters and last digits of the choices all differ.
    last, after = terms[4]
    letters = rng.sample([i for i in (-3, -2, -1, 1, 2, 3) if last + i < 26], 3)
    numbers = rng.sample((-3, -2, -1, 1, 2, 3), 3)
    wrong = [_term(last + i, after + j) for i, j in zip(letters, numbers, strict=True)]
    return _puzzle(rng, 1, [_term(*term) for term in terms], wrong, f"step {letter_step} {number_step}")


def _changing_puzzle(rng: random.Random) -> Puzzle:
    """The letter or the number changes its step; wrong choices keep the last step, or are off by a little."""
    letter_step, number_step = rng.choice((-4, -3, -2, 1, 2, 3, 4)), rng.randint(1, 6)
    change = rng.randint(1, 3)
    letter_change, number_change = rng.choice(((change, 0), (0, change)))
    terms = [(rng.randrange(26), rng.randint(1, 60))]
    steps = [(letter_step + i * letter_change, number_step + i * number_change) for i in range(5)]
    for i, j in steps:
        terms.append((terms[-1][0] + i, terms[-1][1] + j))
    last, after = terms[5]
    near = [(-letter_change, -number_change), (-1, 0), (1, 0), (0, -1), (0, 1), (letter_change, number_change), (-1, 1)]
    wrong = [_term(last + i, after + j) for i, j in dict.fromkeys(near)]
    plan = f"letters {' '.join(str(i) for i, _ in steps)}, numbers {' '.join(str(j) for _, j in steps)}"
    return _puzzle(rng, 2, [_term(*term) for term in terms], wrong, plan)


def _interleaved_puzzle(rng: random.Random) -> Puzzle:
    """Two steady series take turns; wrong choices go on with the other one, or are off by a little."""
    rows = []
    for _ in range(2):
        step = rng.choice((-3, -2, -1, 1, 2, 3)), rng.choice((-5, -4, -3, -2, 2, 3, 4, 5, 6, 7))
        start = rng.randrange(26), rng.randint(21, 70)
        rows.append([(start[0] + i * step[0], start[1] + i * step[1]) for i in range(4)])
    shown = rng.randint(6, 7)
    order = [rows[i % 2][i // 2] for i in range(8)]
    (last, after), (other, beside) = order[shown], order[shown - 1]
    near = ((-1, 0), (1, 0), (0, 1), (0, -1), (1, 1), (-1, -1))
    wrong = [_term(last + i, after + j) for i, j in near] + [_term(other + 1, beside + 1), _term(last, beside)]
    right = _term(last, after)
    row = " ".join(_term(*term) for term in rows[shown % 2][: shown // 2 + 1])
    terms = [_term(*term) for term in order[: shown + 1]]
    return _puzzle(rng, 3, terms, [term for term in wrong if term != right], f"every second {row}")


def _puzzle(rng: random.Random, level: int, terms: Sequence[str], wrong: Sequence[str], plan: str) -> Puzzle:
    *shown, right = terms
    question = f"Next in {' '.join(shown)}?"
    return Puzzle("series", question, right, pick_three(rng, sorted(set(wrong))), f"{plan} so {right}", level)
