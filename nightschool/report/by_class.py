"""From held-out answers to each class's own share of right ones, and what was said instead: the confusion matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nightschool.composites import mean_of_shares
from nightschool.records import Measured
from nightschool.report.grid import accuracy, grid
from nightschool.report.guessing import UNREAD
from nightschool.report.proof import Estimate
from nightschool.report.stage import ByClass, OneClass, Stage
from nightschool.report.tables import Table
from nightschool.report.text import percent


def by_class(rows: Sequence[Measured]) -> ByClass | None:
    """Each class's share of right answers; None where all questions have the same truth.

    Balanced accuracy gives each class the same say, so that always the same answer is at chance whatever its class's
    share: its interval is made of those of the classes.

    Source: Brodersen et al. 2010, ICPR, 3121 (balanced accuracy); plan 002, whose phase B was the majority class.
    """
    truths = sorted({row.truth for row in rows})
    if len(truths) < 2:
        return None
    own = {truth: [row for row in rows if row.truth == truth] for truth in truths}
    rights = [grid(mine, [row.right for row in mine]) for mine in own.values()]
    value, low, high = mean_of_shares(rights)
    return ByClass(
        classes=tuple(
            OneClass(truth=truth, right=accuracy(mine), said=dict(Counter(row.value or UNREAD for row in mine)))
            for truth, mine in own.items()
        ),
        balanced=Estimate(value=value, low=low, high=high, n=sum(right.size for right in rights)),
    )


def classes_table(stages: Sequence[Stage]) -> Table:
    """Classes by stage, balanced accuracy below; what always one answer and chance reach stand beside."""
    found = [(stage.name, stage.by_class) for stage in stages if stage.by_class]
    if not found:
        return [], []
    common = found[0][1].commonest
    chance = percent(1 / len(found[0][1].classes))
    rows = [
        [
            one.truth,
            *(_spoken(classes.of(one.truth)) for _, classes in found),
            "100%" if one.truth == common else "0%",
            chance,
            f"{one.right.n:,}",
        ]
        for one in found[0][1].classes
    ]
    whole = found[0][1].balanced
    rows.append(["balanced", *(_spoken(classes.balanced) for _, classes in found), chance, chance, f"{whole.n:,}"])
    return ["truth", *(name for name, _ in found), f"always {common}", "chance", "answers"], rows


def confusion(found: ByClass) -> Table:
    """Truths by what was said, in answers; what is no class stands behind the classes."""
    truths = [one.truth for one in found.classes]
    said = {value for one in found.classes for value in one.said}
    heads = [*truths, *sorted(said - {*truths, UNREAD}), *([UNREAD] if UNREAD in said else [])]
    return ["truth", *heads], [[one.truth, *(f"{one.said.get(head, 0):,}" for head in heads)] for one in found.classes]


def _spoken(found: Estimate | None) -> str:
    return f"{percent(found.value)} ({percent(found.low)} to {percent(found.high)})" if found else ""
