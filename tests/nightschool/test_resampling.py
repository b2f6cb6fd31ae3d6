"""A mean's interval agrees with scipy on the same draws, whatever the values are like."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from nightschool.resampling import bootstrap_mean


def test_bootstrap_is_scipys_standard_errors_and_students_interval_on_the_same_draws() -> None:
    values = np.random.default_rng(1).lognormal(0, 0.8, 60)
    drawn = values[np.random.default_rng(7).integers(0, 60, (2000, 60))]
    t = (drawn.mean(axis=1) - values.mean()) / stats.sem(drawn, axis=1)
    low, high = np.quantile(np.r_[t, 0.0], [0.025, 0.975])
    mean, error = values.mean(), stats.sem(values)
    student = stats.t.interval(0.95, 59, loc=mean, scale=error)
    expected = (mean, min(mean - error * high, student[0]), max(mean - error * low, student[1]))
    assert bootstrap_mean(values, seed=7, resamples=2000) == pytest.approx(expected, abs=1e-9)


def test_a_large_sample_is_resampled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=50)
    whole = bootstrap_mean(values, seed=3, resamples=999)
    monkeypatch.setattr("nightschool.resampling._BLOCK", 50 * 100)
    assert bootstrap_mean(values, seed=3, resamples=999) == whole


@pytest.mark.parametrize("values", [[0.3], [0.3, 0.3, 0.3], [0.1 + 0.2, 0.3]])
def test_what_is_all_alike_has_no_spread(values: list[float]) -> None:
    assert bootstrap_mean(values, seed=0, resamples=50) == pytest.approx((0.3, 0.3, 0.3))


def test_two_times_say_little_and_none_is_negative() -> None:
    mean, low, high = bootstrap_mean([1.0, 2.0], seed=0, resamples=200)
    assert (mean, low) == (1.5, 0.0)
    assert high == pytest.approx(stats.t.interval(0.95, 1, loc=1.5, scale=0.5)[1])


@pytest.mark.parametrize("values", [[], [1.0, float("nan")]])
def test_what_has_no_mean_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        bootstrap_mean(values, seed=0)
