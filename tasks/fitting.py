"""What mathematics says of answers: which of them are the same, and which fit the problem that they answer."""

from __future__ import annotations

from collections.abc import Collection

from nightschool.sameness import Sameness, tell
from nightschool.substitution import check_of
from nightschool.values.kinds import Kind
from tasks import merge


def names(values: Collection[str], kind: Kind) -> dict[str, str]:
    """Which values are one answer, see `nightschool.voting.named`; empty where no two are."""
    same = Sameness(dict.fromkeys(sorted(values)), kind)
    return same.names(tell([same], merge.compare))


def fitting(problem: str, values: Collection[str], kind: Kind) -> dict[str, bool]:
    """Whether values fit a problem that they can be put into; what could not be judged is not among them."""
    if kind not in ("integer", "number", "latex"):
        return {}
    pairs = {
        value: (found.left, found.right) for value in sorted(values) if (found := check_of(problem, value)) is not None
    }
    told = merge.compare(set(pairs.values())) if pairs else {}
    return {value: fits for value, pair in pairs.items() if (fits := told[pair]) is not None}
