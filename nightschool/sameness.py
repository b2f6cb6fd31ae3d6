"""From the values that were given to one question to which of them are the same answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import combinations

from nightschool.values import latex
from nightschool.values.kinds import Kind
from nightschool.values.read import equal

Pair = tuple[str, str]


class Sameness:
    """Whether two of a question's values are one answer; None for what could not be judged.

    In this order: both held against the truth already; equal as they stand, or two exact numbers; mathematics.

    Args:
        right: by value, whether it is right; None where that is not known.
        told: what mathematics said of pairs, by `untold`.
    """

    def __init__(
        self, right: Mapping[str, bool | None], kind: Kind, told: Mapping[Pair, bool | None] | None = None
    ) -> None:
        self._right, self._told = right, told or {}
        self._kind: Kind = kind
        self._equal: dict[Pair, bool | None] = {}

    def __call__(self, one: str, two: str) -> bool | None:
        if one == two:
            return True
        ours, theirs = self._right.get(one), self._right.get(two)
        if ours is not None and theirs is not None and (ours or theirs):
            return ours and theirs
        if (one, two) not in self._equal:
            self._equal[one, two] = self._equal[two, one] = equal(one, two, self._kind)
        found = self._equal[one, two]
        return self._told.get(_pair(one, two)) if found is None else found

    def untold(self) -> set[Pair]:
        """The pairs that only mathematics can tell, in one spelling and order each."""
        if self._kind != "latex" or len(self._right) < 2:
            return set()
        return {_pair(one, two) for one, two in combinations(self._right, 2) if self(one, two) is None}


def tell(
    sames: Collection[Sameness], compare: Callable[[Collection[Pair]], Mapping[Pair, bool | None]]
) -> Mapping[Pair, bool | None]:
    """What mathematics says of every pair that some question needs; each distinct one is asked once."""
    pairs = {pair for same in sames for pair in same.untold()}
    return compare(pairs) if pairs else {}


def _pair(one: str, two: str) -> Pair:
    left, right = latex.tidy(one), latex.tidy(two)
    return (left, right) if left <= right else (right, left)
