"""How often each of the report's intervals holds the truth, beside how often it says: `python -m benchmarks.coverage`.

Nights are made up under known truths, each interval is made by the report's own code, and the share of nights whose
interval holds the truth stands beside the nominal 95%. Every question has a skill of its own, so that its seeds are
alike. Beside the intervals in use stand those that were left for them (`was`). Seeded: the same on every machine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nightschool.composites import mean_of_shares
from nightschool.lengths import at_equal_length
from nightschool.odds import Contender, match, table
from nightschool.report.proof import Estimate
from nightschool.report.unpaired import apart
from nightschool.resampling import bootstrap_mean
from nightschool.statistics import CONFIDENCE, bounded_mean, clustered_share, paired_gain, ragged_share, wilson

NIGHTS = 2000
# Of an interval in use: so many standard errors of the simulation below nominal, and it is told and fails.
ERRORS = 3.0

Rng = np.random.Generator
Grid = NDArray[np.float64]
Ends = tuple[float, float]
# One night's interval, and the truth that it should hold.
Draw = Callable[[Rng, int], tuple[Ends, float]]


class Case(NamedTuple):
    """An interval in a situation; `used` by the report, or what it was before."""

    interval: str
    where: str
    draw: Draw
    used: bool = True


def main() -> int:
    """Print a line for each interval; exit code 1 if one in use holds the truth less often than it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--nights", type=int, default=NIGHTS, help="made-up nights for each line")
    parser.add_argument("--only", default="", help="intervals whose name has this")
    given = parser.parse_args()
    error, low = simulation_error(given.nights), 0
    print(f"{given.nights:,} nights a line; nominal {CONFIDENCE:.1%}, one standard error {error:.2%}\n")
    print(f"{'interval':<34} {'where':<52} {'holds':>6}  {'width':>6}")
    for case in (one for one in cases() if given.only in one.interval):
        held, width = coverage(case, given.nights)
        short = case.used and held < CONFIDENCE - ERRORS * error
        low += short
        print(f"{case.interval:<34} {case.where:<52} {held:>6.1%}  {width:>6.3f}{'  TOO LOW' if short else ''}")
    return 1 if low else 0


def simulation_error(nights: int) -> float:
    """Standard error of a coverage that is nominal."""
    return float(np.sqrt(CONFIDENCE * (1 - CONFIDENCE) / nights))


def coverage(case: Case, nights: int, seed: int = 0) -> tuple[float, float]:
    """The share of nights whose interval holds the truth, and the mean width of the intervals."""
    rng, held, widths = np.random.default_rng(seed), 0, 0.0
    for night in range(nights):
        (low, high), truth = case.draw(rng, night)
        held += low <= truth <= high
        widths += high - low
    return held / nights, widths / nights


def cases() -> Iterator[Case]:
    """Every interval of the report, at few questions and at many."""
    for n in (10, 20, 50, 200):
        yield Case("share, one seed (Wilson)", f"{n} questions, share drawn from 0.1 to 0.9", _share(n, 1))
    for n in (10, 20, 50, 200):
        yield Case("share, three seeds", f"{n} questions, share drawn from 0.1 to 0.9", _share(n, 3))
    yield Case("share, other numbers of answers", "40 questions with 1 to 4 answers", _ragged)
    for seeds in (1, 3, 8):
        for n in (10, 20, 50, 200):
            where = f"{n} questions x {seeds}, gain drawn from 0 to 0.3"
            yield Case("paired difference", where, _paired(n, seeds))
            yield Case("  was: percentile bootstrap", where, _paired(n, seeds, was=True), used=False)
    yield Case("difference, other questions", "30 and 20 questions (Newcombe)", _apart)
    for sizes, shares in (((10, 10), (0.8, 0.4)), ((100, 20), (0.95, 0.3)), ((8, 8, 8, 8), (0.9, 0.7, 0.5, 0.3))):
        where = f"classes of {', '.join(map(str, sizes))}; right {', '.join(map(str, shares))}"
        yield Case("balanced accuracy", where, _balanced(sizes, shares))
        yield Case("  was: percentile bootstrap", where, _balanced(sizes, shares, was=True), used=False)
    yield Case("gap of calibration", "25 questions x 4, students that draw as the truth is", _gap)
    for n in (10, 40, 100):
        yield Case("mean time", f"{n} requests, lognormal times, spread 0.5", _times(n))
        yield Case(
            "  was: percentile bootstrap", f"{n} requests, lognormal times, spread 0.5", _times(n, was=True), used=False
        )
    yield Case("mean attribution", "20 rows, shares of Beta(2, 3)", _attribution)
    for n in (12, 40, 100):
        yield Case("arena, wins a match", f"{n} questions a side, match of 20, shares 0.2 to 0.8", _match(n))
    yield Case("judge, rate at equal length", "60 pairs, the longer one preferred", _judged)


def _skilled(rng: Rng, share: float, questions: int, seeds: int) -> Grid:
    """Right answers of questions with a skill of their own, the mean of which is the share."""
    skill_Q = rng.beta(4 * share, 4 * (1 - share), (questions, 1))
    return (rng.random((questions, seeds)) < skill_Q).astype(float)


def _share(questions: int, seeds: int) -> Draw:
    def draw(rng: Rng, night: int) -> tuple[Ends, float]:
        truth = float(rng.uniform(0.1, 0.9))
        right = _skilled(rng, truth, questions, seeds)
        return (wilson(right.sum(), questions) if seeds == 1 else clustered_share(right)[1:]), truth

    return draw


def _ragged(rng: Rng, night: int) -> tuple[Ends, float]:
    truth = float(rng.uniform(0.2, 0.8))
    answers_Q = rng.integers(1, 5, 40)
    right_Q = rng.binomial(answers_Q, rng.beta(4 * truth, 4 * (1 - truth), 40))
    sums = {"aa": int((answers_Q**2).sum()), "ra": int((right_Q * answers_Q).sum()), "rr": int((right_Q**2).sum())}
    return ragged_share(40, int(answers_Q.sum()), int(right_Q.sum()), **sums)[1:], truth


def _paired(questions: int, seeds: int, *, was: bool = False) -> Draw:
    """After the gain each question is as skilled as before, or a share of the way on to always right."""

    def draw(rng: Rng, night: int) -> tuple[Ends, float]:
        share, gain = float(rng.uniform(0.2, 0.7)), float(rng.uniform(0, 0.3))
        skill_Q = rng.beta(4 * share, 4 * (1 - share), (questions, 1))
        after_Q = skill_Q + (1 - skill_Q) * gain / (1 - share)
        before, after = (rng.random((questions, seeds)) < skill for skill in (skill_Q, after_Q))
        if was:
            return _percentile(rng, [after.mean(axis=1) - before.mean(axis=1, dtype=float)]), gain
        return paired_gain(before, after)[1:], gain

    return draw


def _apart(rng: Rng, night: int) -> tuple[Ends, float]:
    shares = rng.uniform(0.1, 0.9, 2)
    right = [int(rng.binomial(n, share)) for n, share in zip((30, 20), shares, strict=True)]
    found = [
        Estimate(value=r / n, low=wilson(r, n)[0], high=wilson(r, n)[1], n=n)
        for r, n in zip(right, (30, 20), strict=True)
    ]
    gain = apart("other", *found)
    return (gain.low, gain.high), float(shares[1] - shares[0])


def _balanced(sizes: tuple[int, ...], shares: tuple[float, ...], *, was: bool = False) -> Draw:
    def draw(rng: Rng, night: int) -> tuple[Ends, float]:
        groups = [_skilled(rng, share, n, 1) for n, share in zip(sizes, shares, strict=True)]
        truth = float(np.mean(shares))
        return (_percentile(rng, [one[:, 0] for one in groups]) if was else mean_of_shares(groups)[1:]), truth

    return draw


def _gap(rng: Rng, night: int) -> tuple[Ends, float]:
    """Each question's answers and its truth are drawn with the same odds: then the gap is zero."""
    odds_Q = rng.beta(1, 1, (25, 1))
    said_Q_S, truth_Q = rng.random((25, 4)) < odds_Q, rng.random((25, 1)) < odds_Q
    same_Q_S = (np.where(said_Q_S, said_Q_S.sum(axis=1, keepdims=True), (~said_Q_S).sum(axis=1, keepdims=True)) - 1) / 3
    return bounded_mean((same_Q_S - (said_Q_S == truth_Q)).mean(axis=1))[1:], 0.0


def _times(requests: int, *, was: bool = False) -> Draw:
    def draw(rng: Rng, night: int) -> tuple[Ends, float]:
        seconds = rng.lognormal(0, 0.5, requests)
        ends = _percentile(rng, [seconds]) if was else bootstrap_mean(seconds, seed=night, resamples=500)[1:]
        return ends, float(np.exp(0.125))

    return draw


def _attribution(rng: Rng, night: int) -> tuple[Ends, float]:
    return bootstrap_mean(rng.beta(2, 3, 20), seed=night, resamples=500)[1:], 0.4


def _match(questions: int) -> Draw:
    players = [Contender(name, name, name) for name in ("one", "other")]

    def draw(rng: Rng, night: int) -> tuple[Ends, float]:
        mine, theirs = rng.uniform(0.2, 0.8, 2)
        taken = {("one", "other"): rng.random(questions) < mine, ("other", "one"): rng.random(questions) < theirs}
        points = {pair: won.astype(float) for pair, won in taken.items()}
        found = table(points, players, questions=20, seed=night, resamples=1000).wins["one"]
        return (found.low, found.high), float(match(np.array([mine]), np.array([theirs]), 20)[0])

    return draw


def _judged(rng: Rng, night: int) -> tuple[Ends, float]:
    longer = rng.normal(40, 60, 60)
    chance = 1 / (1 + np.exp(-(0.4 + 1.0 * np.tanh(longer / longer.std()))))
    score = (rng.random(60) < chance).astype(float)
    return at_equal_length(score, longer)[1:], float(1 / (1 + np.exp(-0.4)))


def _percentile(rng: Rng, groups: list[NDArray[np.float64]]) -> Ends:
    """The percentile bootstrap, each group resampled by itself."""
    means = [group[rng.integers(0, group.size, (500, group.size))].mean(axis=1) for group in groups]
    low, high = np.quantile(np.mean(means, axis=0), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


if __name__ == "__main__":
    sys.exit(main())
