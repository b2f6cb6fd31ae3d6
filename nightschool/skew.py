"""From class counts before and after a step to whether it skewed them: chi-square with its effect sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

# Cochran's rule: below five expected rows the chi-square of a class says nothing, so such classes are tested as one.
_LEAST_EXPECTED = 5
RARE = "(rare)"


@dataclass(frozen=True, slots=True)
class Skew:
    """What a step did to the shares of classes.

    `w`: Cohen's effect size of the shares after against those before (0.1 small, 0.3 medium, 0.5 large). `v`: Cramer's,
    of kept or dropped by class, in [0, 1]. `p`: of that table, None where the step dropped nothing or added rows.
    `moved`: the class whose share changed most, by `shift` in [-1, 1].
    """

    w: float
    v: float | None
    p: float | None
    moved: str
    shift: float


def skew(before: Mapping[str, float], after: Mapping[str, float]) -> Skew | None:
    """Compare class counts (or weights) of the same rows before and after a step; None when either has none.

    A share that a class had before and lost altogether counts like any other change; a class that is new (a person gave
    another answer) is compared against the rarest share that one row could have had.

    Source: plan 002, whose filter turned 45:55 into 28:72; J. Cohen, Statistical Power Analysis, 1988, 7.2.
    """
    n, left = math.fsum(before.values()), math.fsum(after.values())
    if not n or not left:
        return None
    was, now = _shares(before, n), _shares(after, left)
    classes = sorted(was.keys() | now.keys())
    shifts = {name: now.get(name, 0.0) - was.get(name, 0.0) for name in classes}
    w = math.sqrt(math.fsum(shift**2 / max(was.get(name, 0.0), 1 / n) for name, shift in shifts.items()))
    moved = max(classes, key=lambda name: (round(abs(shifts[name]), 9), shifts[name]))
    v, p = _table(before, after)
    return Skew(w=w, v=v, p=p, moved=moved, shift=shifts[moved])


def _shares(counts: Mapping[str, float], total: float) -> dict[str, float]:
    return {name: count / total for name, count in counts.items()}


def _table(before: Mapping[str, float], after: Mapping[str, float]) -> tuple[float | None, float | None]:
    """(Cramer's V, p) of the table of kept and dropped rows by class, classes with few expected rows as one."""
    dropped = {name: before.get(name, 0) - after.get(name, 0) for name in before.keys() | after.keys()}
    lost, n = math.fsum(dropped.values()), math.fsum(before.values())
    if lost <= 0 or lost >= n or min(dropped.values()) < 0:
        return None, None
    less = min(lost, n - lost) / n
    kept: dict[str, float] = {}
    gone: dict[str, float] = {}
    for name in sorted(before):
        place = name if before[name] * less >= _LEAST_EXPECTED else RARE
        kept[place] = kept.get(place, 0) + after.get(name, 0)
        gone[place] = gone.get(place, 0) + dropped[name]
    if len(kept) < 2:
        return 0.0, 1.0
    square = 0.0
    for name in kept:
        total = kept[name] + gone[name]
        for found, share in ((kept[name], (n - lost) / n), (gone[name], lost / n)):
            if total:
                square += (found - total * share) ** 2 / (total * share)
    from scipy.special import chdtrc  # 0.4 s, which naming a report needs not

    return math.sqrt(square / n), float(chdtrc(len(kept) - 1, square))
