"""From who took which question to the odds of a match and of a knockout, with intervals by resampling questions.

Shape letters: R = resamples, Q = questions of one writer, P = players in the order of their seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nightschool.statistics import CONFIDENCE

RESAMPLES = 4000

Floats = NDArray[np.float64]
# By writer and answerer, whose point each of the writer's questions is: 1 its own, 0 the answerer's, nan nobody's.
Taken = Mapping[tuple[str, str], Floats]


class Contender(NamedTuple):
    """Who plays: a name, and the models that write and answer for it."""

    name: str
    writes: str
    answers: str


class Odds(NamedTuple):
    """A chance with its 95% interval."""

    value: float
    low: float
    high: float


class Table(NamedTuple):
    """The chance that the first of two wins a match against the second; and by player, to win one and the knockout."""

    pairs: dict[tuple[str, str], Odds]
    wins: dict[str, Odds]
    title: dict[str, Odds]


def table(
    taken: Taken, players: Sequence[Contender], *, questions: int, seed: int, resamples: int = RESAMPLES
) -> Table:
    """The odds of matches in which each side asks so many questions, drawn by chance from those that it wrote.

    A win of a player is one over an opponent drawn by chance. The knockout seeds players by their wins, with byes for
    the first ones; drawn matches are played again. Intervals are of the Bayesian bootstrap over each writer's
    questions, whose answers all come along, with a question added that it takes and one that it loses: for one share
    that is the posterior of Bayes and Laplace, and all questions taken are no certainty. With half a question each,
    which is Jeffreys' prior, the odds of a match after 12 questions a side hold the truth in 94 of 100 instead of 95.

    Args:
        players: a pair without any judged question on one side has no odds; who has no pair at all is in no table.

    Source: Rubin 1981, Annals of Statistics 9:130 (Bayesian bootstrap); Brown, Cai & DasGupta 2001, Statistical Science
    16:101 (intervals of a share from priors, closed at 0 and 1).
    """
    shares = _resampled(taken, np.random.default_rng(seed), resamples)
    wins = {
        (one.name, other.name): _wins(shares, one, other, questions)
        for one, other in permutations(players, 2)
        if {(one.writes, other.answers), (other.writes, one.answers)} <= shares.keys()
    }
    by_player = {
        one.name: np.mean(own, axis=0)
        for one in players
        if (own := [chance_R for (name, _), chance_R in wins.items() if name == one.name])
    }
    seeds = sorted(by_player, key=lambda name: -by_player[name][0])
    title_R_P = knockout(_beats(wins, seeds)) if len(seeds) > 1 else np.ones((1, len(seeds)))
    return Table(
        {pair: _odds(chance_R) for pair, chance_R in wins.items()},
        {name: _odds(chance_R) for name, chance_R in by_player.items()},
        {name: _odds(title_R_P[:, place]) for place, name in enumerate(seeds)},
    )


def match(mine_R: Floats, theirs_R: Floats, questions: int) -> Floats:
    """The chance to take more than half of the points of a match.

    Args:
        mine_R: the share of my own questions that I take; theirs_R: of the other's questions that the other takes.
        questions: of each side, each worth a point to who asks or to who answers.
    """
    own_R_K, others_R_K = _binomial(mine_R, questions), _binomial(1 - theirs_R, questions)
    more_R_K = 1 - np.cumsum(others_R_K, axis=1)
    return np.clip((own_R_K * more_R_K[:, ::-1]).sum(axis=1), 0.0, 1.0)


def knockout(beats_R_P_P: Floats) -> Floats:
    """Each player's chance to win a knockout in which the best seeds meet last: R x P.

    Args:
        beats_R_P_P: chance that the first beats the second; what it says of a player against itself is not looked at.
    """
    resamples, count, _ = beats_R_P_P.shape
    bracket = [0]
    while len(bracket) < count:
        bracket = [seed for one in bracket for seed in (one, 2 * len(bracket) - 1 - one)]
    alive = {seed: np.full(resamples, float(seed < count)) for seed in bracket}
    size = 1
    while size < len(bracket):
        before = dict(alive)
        for start in range(0, len(bracket), size):
            across = (start // size) ^ 1
            rivals = [seed for seed in bracket[across * size : (across + 1) * size] if seed < count]
            for seed in (one for one in bracket[start : start + size] if one < count):
                met = [before[other] * beats_R_P_P[:, seed, other] for other in rivals]
                bye = 1 - sum((before[other] for other in rivals), np.zeros(resamples))
                alive[seed] = before[seed] * (sum(met, np.zeros(resamples)) + np.clip(bye, 0, 1))
        size *= 2
    return np.stack([alive[seed] for seed in range(count)], axis=1)


def _resampled(taken: Taken, rng: np.random.Generator, resamples: int) -> dict[tuple[str, str], Floats]:
    """The share that each writer takes from each answerer: as it is, then resampled."""
    weights: dict[str, Floats] = {}
    found: dict[tuple[str, str], Floats] = {}
    for (writer, answerer), points_Q in sorted(taken.items(), key=lambda item: item[0]):
        if not np.isfinite(points_Q).any():
            continue
        if writer not in weights:
            weights[writer] = rng.standard_exponential((resamples, points_Q.size + 2))
        known = np.r_[np.isfinite(points_Q), True, True].astype(float)
        points = np.r_[np.nan_to_num(points_Q), 1.0, 0.0]
        drawn_R = (weights[writer] @ points) / (weights[writer] @ known)
        found[writer, answerer] = np.r_[np.nanmean(points_Q), drawn_R]
    return found


def _wins(shares: Mapping[tuple[str, str], Floats], one: Contender, other: Contender, questions: int) -> Floats:
    return match(shares[one.writes, other.answers], shares[other.writes, one.answers], questions)


def _beats(wins: Mapping[tuple[str, str], Floats], seeds: Sequence[str]) -> Floats:
    """Chances with drawn matches played again; a pair that never met, or always draws, is an even one."""
    resamples = next(iter(wins.values())).size
    found = np.full((resamples, len(seeds), len(seeds)), 0.5)
    for (i, one), (j, other) in permutations(enumerate(seeds), 2):
        if (one, other) in wins:
            both = wins[one, other] + wins[other, one]
            found[:, i, j] = np.divide(wins[one, other], both, out=np.full(resamples, 0.5), where=both > 0)
    return found


def _binomial(share_R: Floats, count: int) -> Floats:
    """P[so many of `count`], for 0..count."""
    k = np.arange(count + 1)
    ways = np.array([float(comb(count, int(one))) for one in k])
    p = share_R[:, None]
    return ways * p**k * (1 - p) ** (count - k)


def _odds(chance_R: Floats) -> Odds:
    """The first is the value, the others are its resamples; an interval holds its value."""
    value, tail = float(chance_R[0]), (1 - CONFIDENCE) / 2
    # Weibull's quantiles: a fresh draw lies outside as often as they say, however few the resamples.
    low, high = np.quantile(chance_R[1:], [tail, 1 - tail], method="weibull") if chance_R.size > 1 else (value, value)
    return Odds(value, min(value, float(low)), max(value, float(high)))
