"""A figure made of several shares agrees with scipy and covers the truth as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from nightschool.composites import mean_of_means


def test_several_samples_are_scipys_on_the_same_draws() -> None:
    rng = np.random.default_rng(1)
    groups = [rng.random(40), rng.random(90), rng.random(7)]
    expected = stats.bootstrap(
        groups,
        lambda *found, axis: np.mean([one.mean(axis=axis) for one in found], axis=0),
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(5),
    ).confidence_interval
    value, low, high = mean_of_means(groups, seed=5, resamples=2000)
    assert value == pytest.approx(np.mean([group.mean() for group in groups]), abs=1e-12)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("groups", [[], [[1.0], []], [[float("nan")]]])
def test_what_has_no_mean_is_refused(groups: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        mean_of_means(groups, seed=0)


def test_balanced_accuracy_covers_the_truth_at_its_nominal_rate() -> None:
    """300 nights of 30 and 120 questions, a class each, right in .8 and .4 of them; 0.2 s."""
    rng, hits = np.random.default_rng(3), 0
    for night in range(300):
        groups = [(rng.random(30) < 0.8).astype(float), (rng.random(120) < 0.4).astype(float)]
        _, low, high = mean_of_means(groups, seed=night, resamples=500)
        hits += low <= 0.6 <= high
    # 95% of 300 is 285; three binomial standard deviations are 11, and a bootstrap of 30 is a little narrow.
    assert 270 <= hits <= 297
