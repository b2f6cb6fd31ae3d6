"""The odds of matches and knockouts: exact where they can be counted, intervals that cover."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom
from scipy.stats.mstats import mquantiles

from nightschool.odds import Contender, Table, knockout, match, table

ONE, OTHER, THIRD = (Contender(name, name, name) for name in ("one", "other", "third"))


def games(**shares: float) -> dict[tuple[str, str], np.ndarray]:
    """Of 20 questions of each writer, how many it takes: one_other=0.5."""
    names = {tuple(pair.split("_")): share for pair, share in shares.items()}
    return {(one, other): np.arange(20) < round(20 * share) for (one, other), share in names.items()}  # pyright: ignore


def played(taken: dict[tuple[str, str], np.ndarray], *players: Contender, questions: int = 20) -> Table:
    return table({pair: won.astype(float) for pair, won in taken.items()}, players, questions=questions, seed=1)


SHARES = st.integers(0, 1000).map(lambda n: n / 1000)


@given(SHARES, SHARES, st.integers(1, 6))
def test_a_match_is_won_with_more_than_half_of_its_points(mine: float, theirs: float, questions: int) -> None:
    expected = 0.0
    for own, lost in product(range(questions + 1), repeat=2):
        chance = comb(questions, own) * mine**own * (1 - mine) ** (questions - own)
        chance *= comb(questions, lost) * theirs**lost * (1 - theirs) ** (questions - lost)
        expected += chance * (own + questions - lost > questions)
    found = match(np.array([mine]), np.array([theirs]), questions)
    assert found[0] == pytest.approx(expected, abs=1e-12)


@given(SHARES, SHARES, st.integers(1, 40))
def test_what_one_side_wins_the_other_loses(mine: float, theirs: float, questions: int) -> None:
    won, lost = (match(np.array([a]), np.array([b]), questions)[0] for a, b in ((mine, theirs), (theirs, mine)))
    k = np.arange(questions + 1)
    drawn = float((binom.pmf(k, questions, mine) * binom.pmf(questions - k, questions, 1 - theirs)).sum())
    assert won + lost + drawn == pytest.approx(1, abs=1e-9)


def test_equals_win_as_often_as_they_lose() -> None:
    found = played(games(one_other=0.4, other_one=0.4), ONE, OTHER)
    assert found.wins["one"].value == pytest.approx(found.wins["other"].value)
    assert found.wins["one"].low < 0.5 < found.wins["one"].high
    assert found.title["one"].value == pytest.approx(0.5)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=21), st.integers(2, 7))
def test_somebody_wins_the_knockout_and_nobody_twice(draws: list[float], count: int) -> None:
    beats = np.full((1, count, count), 0.5)
    places = [(i, j) for i in range(count) for j in range(i)]
    for (i, j), chance in zip(places, draws, strict=False):
        beats[0, i, j], beats[0, j, i] = chance, 1 - chance
    title = knockout(beats)
    assert title.sum() == pytest.approx(1)
    assert (title >= 0).all()


def test_a_knockout_of_three_gives_the_first_seed_a_bye() -> None:
    beats = np.array([[[0, 0.6, 0.8], [0.4, 0, 0.7], [0.2, 0.3, 0]]])
    first, second, third = knockout(beats)[0]
    assert first == pytest.approx(0.7 * 0.6 + 0.3 * 0.8)
    assert second == pytest.approx(0.7 * 0.4)
    assert third == pytest.approx(0.3 * 0.2)


def test_who_takes_everything_wins_and_is_not_certain_to() -> None:
    won = played(games(one_other=1, other_one=0), ONE, OTHER).wins
    assert won["one"].value == won["one"].high == 1
    assert 0.9 < won["one"].low < 1
    assert won["other"].value == won["other"].low == 0
    assert won["other"].high == pytest.approx(1 - won["one"].low, abs=1e-3)


def test_interval_is_scipys_quantiles_and_matches_of_the_same_draws() -> None:
    """Two writers with an unjudged question each; the first by name draws first."""
    rng = np.random.default_rng(3)
    taken = {("one", "other"): rng.integers(0, 2, 30).astype(float), ("other", "one"): rng.integers(0, 2, 25) * 1.0}
    taken["one", "other"][4] = taken["other", "one"][7] = np.nan
    found = table(taken, [ONE, OTHER], questions=12, seed=11, resamples=500).pairs["one", "other"]
    drawn, shares = np.random.default_rng(11), []
    for points in taken.values():
        asked = np.isfinite(points)
        weights = drawn.standard_exponential((500, points.size + 2))[:, np.r_[asked, True, True]]
        shares.append(np.average(np.broadcast_to(np.r_[points[asked], 1, 0], weights.shape), axis=1, weights=weights))
    k = np.arange(13)
    won = [np.dot(binom.pmf(k, 12, own), binom.sf(12 - k, 12, 1 - other)) for own, other in zip(*shares, strict=True)]
    assert (found.low, found.high) == pytest.approx(mquantiles(won, [0.025, 0.975], alphap=0, betap=0), abs=1e-9)


def test_of_matches_of_one_question_the_interval_is_a_shares() -> None:
    """The other has asked so much that nobody fails: one wins exactly where it takes its own question."""
    taken = {("one", "other"): np.arange(20) < 7, ("other", "one"): np.arange(400_000) < 0}
    shares = {pair: won.astype(float) for pair, won in taken.items()}
    found = table(shares, [ONE, OTHER], questions=1, seed=1, resamples=400).wins["one"]
    assert found.value == pytest.approx(0.35)
    # Of 400 resamples each end's own share outside is 0.025 +- 0.0078, wherever the ends lie.
    below, above = (float(beta.cdf(end, 8, 14)) for end in (found.low, found.high))
    assert below == pytest.approx(0.025, abs=4 * 0.0078)
    assert above == pytest.approx(0.975, abs=4 * 0.0078)


def test_who_never_met_anybody_is_in_no_table() -> None:
    taken = games(one_other=0.5, other_one=0.5) | {("third", "one"): np.full(20, np.nan)}
    found = table({pair: np.asarray(won, float) for pair, won in taken.items()}, [ONE, OTHER, THIRD],
                  questions=20, seed=1)  # fmt: skip
    assert found.wins.keys() == found.title.keys() == {"one", "other"}


def test_two_teams_may_have_one_writer() -> None:
    teams = Contender("base", "pen", "base"), Contender("sft", "pen", "sft")
    taken = {("pen", "base"): np.arange(20) < 14, ("pen", "sft"): np.arange(20) < 6}
    found = played(taken, *teams)
    assert found.wins["sft"].low > 0.5, "both are asked the same, and one fails more than twice as often"


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.7, 0.3)])
def test_intervals_cover_the_chance_of_fresh_questions(shares: tuple[float, float]) -> None:
    rng, (mine, theirs) = np.random.default_rng(5), shares
    truth = float(match(np.array([mine]), np.array([theirs]), 20)[0])
    covered = 0
    for trial in range(200):
        taken = {("one", "other"): rng.random(60) < mine, ("other", "one"): rng.random(60) < theirs}
        drawn = {pair: won.astype(float) for pair, won in taken.items()}
        found = table(drawn, [ONE, OTHER], questions=20, seed=trial, resamples=600).wins["one"]
        covered += found.low <= truth <= found.high
    assert covered / 200 > 0.91
