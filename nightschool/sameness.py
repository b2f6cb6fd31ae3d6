"""From the values of a question to those that are one answer: as they stand, by the truth, or by mathematics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import combinations

from nightschool.values import latex
from nightschool.values.kinds import Kind
from nightschool.values.read import known_as
from nightschool.voting import named

Pair = tuple[str, str]


class Sameness:
    """Which of a question's values are one answer; those that could not be judged stay apart.

    In this order: both held against the truth already; equal as they stand, or two exact numbers; mathematics.

    Args:
        right: by value, whether it is right; None where that is not known.
    """

    def __init__(self, right: Mapping[str, bool | None], kind: Kind) -> None:
        self._values = right.keys()
        self._same: set[Pair] = set()
        self._open: list[Pair] = []
        seen = [(value, mark, *known_as(value, kind)) for value, mark in right.items()]
        for (one, ours, left, exact), (two, theirs, right_, exactly) in combinations(seen, 2):
            if ours is not None and theirs is not None and (ours or theirs):
                if ours and theirs:
                    self._same.add((one, two))
            elif left == right_:
                self._same.add((one, two))
            elif not (exact and exactly):
                self._open.append((one, two))

    def untold(self) -> set[Pair]:
        """The pairs that only mathematics can tell, in one spelling and order each."""
        return {_pair(one, two) for one, two in self._open}

    def names(self, told: Mapping[Pair, bool | None]) -> dict[str, str]:
        """Each value's answer, see `nightschool.voting.named`.

        Args:
            told: what mathematics said of pairs, by `untold`.
        """
        same = self._same.union(pair for pair in self._open if told.get(_pair(*pair)))
        return named(self._values, lambda one, two: (one, two) in same) if same else {}


def tell(
    sames: Collection[Sameness], compare: Callable[[Collection[Pair]], Mapping[Pair, bool | None]]
) -> Mapping[Pair, bool | None]:
    """What mathematics says of every pair that some question needs; each distinct one is asked once."""
    pairs = {pair for same in sames for pair in same.untold()}
    return compare(pairs) if pairs else {}


def _pair(one: str, two: str) -> Pair:
    left, right = latex.tidy(one), latex.tidy(two)
    return (left, right) if left <= right else (right, left)
