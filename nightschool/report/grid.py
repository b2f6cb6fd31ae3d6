"""From measured rows to questions x seeds, and from these to a share or a difference with its interval."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nightschool.records import Measured
from nightschool.report.proof import Estimate, Gain
from nightschool.statistics import clustered_share, paired_gain, sign_flip_exact

SEED = 0

Grid = NDArray[np.float64]


def grid(rows: Sequence[Measured], values: Sequence[bool]) -> Grid:
    """Questions x seeds of 0 and 1, both in sorted order; a question that lost a seed to the world is left out.

    Where no question has all seeds (a night that was stopped), the least answered seeds are left out instead.
    """
    places = {(row.question, row.seed): float(value) for row, value in zip(rows, values, strict=True)}
    seeds = [seed for seed, _ in Counter(seed for _, seed in places).most_common()]
    questions: list[str] = []
    while seeds and not questions:
        answered = Counter(question for question, seed in places if seed in seeds)
        questions = sorted(question for question, count in answered.items() if count == len(seeds))
        seeds = sorted(seeds) if questions else seeds[:-1]
    return np.array([[places[question, seed] for seed in seeds] for question in questions], dtype=float)


def topics_of(rows: Sequence[Measured]) -> dict[str, list[Measured]]:
    """The rows of each topic, by its name: one pass, for a file's field may name thousands of them."""
    found: dict[str, list[Measured]] = defaultdict(list)
    for row in rows:
        found[row.topic].append(row)
    return dict(sorted(found.items()))


def accuracy(rows: Sequence[Measured]) -> Estimate:
    """Share of right answers, with an interval that knows that answers to one question are alike."""
    return estimate(grid(rows, [row.right for row in rows]))


def estimate(right_Q_S: Grid) -> Estimate:
    """The share of a grid."""
    value, low, high = clustered_share(right_Q_S)
    return Estimate(value=value, low=low, high=high, n=right_Q_S.size)


def gain_over(over: str, before_Q_S: Grid, after_Q_S: Grid) -> Gain:
    """The difference of two grids of the same questions and seeds."""
    value, low, high = paired_gain(before_Q_S, after_Q_S)
    return Gain(over=over, value=value, low=low, high=high, p=sign_flip_exact(before_Q_S, after_Q_S),
                n=np.asarray(after_Q_S).size)  # fmt: skip
