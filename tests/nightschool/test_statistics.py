"""Intervals and tests agree with scipy and statsmodels; how often they hold the truth see test_coverage.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from nightschool.statistics import (
    bounded_mean,
    clustered_share,
    mcnemar_exact,
    paired_gain,
    paired_share,
    quantiles,
    ragged_share,
    sign_flip_exact,
    wilson,
)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
@settings(max_examples=60)
def test_wilson_is_scipys(counts: tuple[int, int], confidence: float) -> None:
    right, n = counts
    expected = stats.binomtest(right, n).proportion_ci(confidence, method="wilson")
    assert wilson(right, n, confidence=confidence) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("right", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_share(right: int, n: int) -> None:
    with pytest.raises(ValueError, match="0 <= right <= n"):
        wilson(right, n)


def test_one_seed_per_question_is_plain_wilson() -> None:
    right = np.array([1, 0, 1, 1, 0, 1, 1, 1])
    assert clustered_share(right) == pytest.approx((0.75, *wilson(6, 8)), abs=1e-12)


def test_copied_seeds_add_no_certainty_and_fresh_ones_do() -> None:
    rng = np.random.default_rng(3)
    one = rng.integers(0, 2, (200, 1))
    copied, fresh = np.repeat(one, 4, axis=1), rng.integers(0, 2, (200, 4))
    copied_share, low, high = clustered_share(copied)
    assert (low, high) == pytest.approx(wilson(200 * copied_share, 200), abs=2e-3)
    _, fresh_low, fresh_high = clustered_share(fresh)
    assert fresh_high - fresh_low < 0.6 * (high - low)


@pytest.mark.parametrize(("value", "edge"), [(0, 0), (1, 1)])
def test_all_wrong_or_all_right_is_still_uncertain(value: int, edge: int) -> None:
    share, low, high = clustered_share(np.full((50, 3), value))
    assert share == value
    assert edge in (low, high)
    assert high - low == pytest.approx(wilson(0, 50)[1])


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=40)
def test_wilson_is_statsmodels(counts: tuple[int, int]) -> None:
    assert wilson(*counts) == pytest.approx(proportion_confint(*counts, method="wilson"), abs=1e-9)


def test_a_share_of_other_numbers_of_answers_has_the_variance_of_cluster_robust_least_squares() -> None:
    rng = np.random.default_rng(8)
    answers_Q = rng.integers(1, 5, 60)
    right_Q = rng.binomial(answers_Q, rng.beta(2, 2, 60))
    rows = np.concatenate([np.arange(n) < r for n, r in zip(answers_Q, right_Q, strict=True)]).astype(float)
    groups = np.repeat(np.arange(60), answers_Q)
    fitted = OLS(rows, np.ones(len(rows))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    share, variance = float(fitted.params[0]), float(fitted.bse[0]) ** 2
    effective = share * (1 - share) / variance
    sums = {"aa": int((answers_Q**2).sum()), "ra": int((right_Q * answers_Q).sum()), "rr": int((right_Q**2).sum())}
    found = ragged_share(60, len(rows), int(rows.sum()), **sums)
    assert found == pytest.approx((share, *wilson(share * effective, effective)), abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(2, 300), st.integers(1, 4))
@settings(max_examples=40)
def test_a_paired_gain_is_walds_interval_of_weighted_questions(seed: int, questions: int, seeds: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.integers(0, 2, (questions, seeds)), rng.integers(0, 2, (questions, seeds))
    means = after.mean(axis=1) - before.mean(axis=1)
    # One seed of each side, every pair of them alike.
    single = (after[:, :, None] - before[:, None, :]).ravel().astype(float)
    spread, error = single.var(), stats.sem(means) ** 2
    size = float(np.clip(spread / error, questions, questions * seeds)) if error else questions * seeds
    size = size if spread else questions
    weighted = DescrStatsW(
        np.r_[single, 1, -1, 0], weights=np.r_[np.full(single.size, size / single.size), 0.5, 0.5, 1]
    )
    mean, variance = (float(np.asarray(one)) for one in (weighted.mean, weighted.var))
    half = stats.norm.ppf(0.975) * np.sqrt(variance / (size + 2))
    expected = (means.mean(), max(-1, mean - half), min(1, mean + half))
    assert paired_gain(before, after) == pytest.approx(expected, abs=1e-9)
    if seeds == 1:
        only_before, only_after = int((before > after).sum()), int((after > before).sum())
        assert paired_share(only_before, only_after, questions) == pytest.approx(expected, abs=1e-9)


def test_twenty_questions_that_agree_prove_no_equality() -> None:
    same = np.ones(20)
    value, low, high = paired_gain(same, same)
    assert value == 0
    assert low == pytest.approx(-high)
    assert 0.05 < high < 0.1


@pytest.mark.parametrize("shapes", [((3, 1), (4, 1)), ((0, 1), (0, 1))])
def test_a_paired_gain_refuses_other_questions(shapes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="questions"):
        paired_gain(np.zeros(shapes[0]), np.zeros(shapes[1]))


@pytest.mark.parametrize("values", [[], [1.5], [float("nan")]])
def test_a_bounded_mean_refuses_what_is_not_bounded(values: list[float]) -> None:
    with pytest.raises(ValueError, match="from -1 to 1"):
        bounded_mean(values)


@given(st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=60)
def test_mcnemar_is_scipys_binomial_test(only_before: int, only_after: int) -> None:
    n = only_before + only_after
    expected = stats.binomtest(only_before, n).pvalue if n else 1.0
    assert mcnemar_exact(only_before, only_after) == pytest.approx(expected, abs=1e-9)
    theirs = mcnemar([[5, only_before], [only_after, 7]], exact=True)
    assert mcnemar_exact(only_before, only_after) == pytest.approx(vars(theirs)["pvalue"], abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 600))
@settings(max_examples=40)
def test_sign_flip_of_one_seed_is_mcnemar(seed: int, questions: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.integers(0, 2, questions), rng.integers(0, 2, questions)
    only_before, only_after = int((before > after).sum()), int((after > before).sum())
    assert sign_flip_exact(before, after) == pytest.approx(mcnemar_exact(only_before, only_after), rel=1e-9)


def test_sign_flip_of_pooled_seeds_is_scipys_exhaustive_permutation() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.random((11, 3)) < 0.4, rng.random((11, 3)) < 0.7
    expected = stats.permutation_test(
        (after.sum(axis=1, dtype=np.float64), before.sum(axis=1, dtype=np.float64)),
        lambda x, y, axis: np.abs((x - y).sum(axis=axis)),
        permutation_type="samples",
        alternative="greater",
        n_resamples=2**11,
        vectorized=True,
    ).pvalue
    assert sign_flip_exact(before, after) == pytest.approx(expected, abs=1e-9)


def test_quantiles_are_scipys_and_refuse_what_is_no_time() -> None:
    times = np.random.default_rng(0).gamma(2, 1, 137)
    expected = stats.mstats.mquantiles(times, [0.5, 0.95, 0.99], alphap=1, betap=1)
    assert quantiles(times) == pytest.approx(expected, abs=1e-9)
    for bad in ([], [1.0, float("nan")]):
        with pytest.raises(ValueError, match="finite"):
            quantiles(bad)
