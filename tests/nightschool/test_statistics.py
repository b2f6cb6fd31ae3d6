"""Intervals agree with scipy and cover the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nightschool.statistics import (
    bootstrap_mean,
    clustered_share,
    mcnemar_exact,
    paired_bootstrap,
    quantiles,
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


def test_bootstrap_is_scipys_on_the_same_draws() -> None:
    values = np.random.default_rng(1).normal(2, 3, 80)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(7)
    ).confidence_interval
    mean, low, high = bootstrap_mean(values, seed=7, resamples=2000)
    assert (mean, low, high) == pytest.approx((values.mean(), expected.low, expected.high), abs=1e-9)


def test_paired_bootstrap_resamples_questions_not_rows() -> None:
    rng = np.random.default_rng(2)
    before, after = rng.integers(0, 2, (300, 4)), rng.integers(0, 2, (300, 4))
    expected = bootstrap_mean(after.mean(axis=1) - before.mean(axis=1), seed=5)
    assert paired_bootstrap(before, after, seed=5) == expected
    assert paired_bootstrap(before, after, seed=5) != paired_bootstrap(before, after, seed=6)


def test_a_large_sample_is_resampled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=50)
    whole = bootstrap_mean(values, seed=3, resamples=999)
    monkeypatch.setattr("nightschool.statistics._BLOCK", 50 * 100)
    assert bootstrap_mean(values, seed=3, resamples=999) == whole


@pytest.mark.parametrize("shapes", [((3, 1), (4, 1)), ((0, 1), (0, 1))])
def test_paired_bootstrap_refuses_other_questions(shapes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="questions"):
        paired_bootstrap(np.zeros(shapes[0]), np.zeros(shapes[1]), seed=0)


@given(st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=60)
def test_mcnemar_is_scipys_binomial_test(only_before: int, only_after: int) -> None:
    n = only_before + only_after
    expected = stats.binomtest(only_before, n).pvalue if n else 1.0
    assert mcnemar_exact(only_before, only_after) == pytest.approx(expected, abs=1e-9)


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


def test_intervals_cover_the_truth_at_their_nominal_rate() -> None:
    """300 nights of 100 questions x 3 seeds, each question with a difficulty of its own; about 0.5 s."""
    rng = np.random.default_rng(11)
    skill = rng.beta(2, 2, (300, 100, 1))
    before = rng.random((300, 100, 3)) < skill
    after = rng.random((300, 100, 3)) < 0.6 * skill + 0.4
    share_hits = difference_hits = 0
    for night in range(300):
        _, low, high = clustered_share(before[night])
        share_hits += low <= 0.5 <= high
        _, low, high = paired_bootstrap(before[night], after[night], seed=night, resamples=600)
        difference_hits += low <= 0.2 <= high
    # 95% of 300 is 285; three binomial standard deviations are 11.
    assert 274 <= share_hits <= 297
    assert 274 <= difference_hits <= 297
