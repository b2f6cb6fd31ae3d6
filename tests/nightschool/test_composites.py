"""A figure made of several shares agrees with statsmodels; how often it holds the truth see test_coverage.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from nightschool.composites import mean_of_shares
from nightschool.report.proof import Estimate
from nightschool.report.unpaired import apart
from nightschool.statistics import wilson

COUNTS = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, COUNTS)
@settings(max_examples=60)
def test_balanced_accuracy_of_two_classes_is_newcombes_interval_turned_round(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    """p + q = p - (1 - q) + 1: the mean of two shares is a difference of two."""
    low, high = confint_proportions_2indep(*one, other[1] - other[0], other[1], method="newcomb", compare="diff")
    found = mean_of_shares([np.arange(n) < right for right, n in (one, other)])
    mean = (one[0] / one[1] + other[0] / other[1]) / 2
    assert found == pytest.approx((mean, (low + 1) / 2, (high + 1) / 2), abs=1e-9)


@given(COUNTS, COUNTS)
@settings(max_examples=60)
def test_a_difference_of_other_questions_is_newcombes(one: tuple[int, int], other: tuple[int, int]) -> None:
    shares = [Estimate(value=r / n, low=wilson(r, n)[0], high=wilson(r, n)[1], n=n) for r, n in (one, other)]
    found = apart("one", *shares)
    expected = confint_proportions_2indep(*other, *one, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


def test_classes_that_are_always_right_are_no_certainty() -> None:
    value, low, high = mean_of_shares([np.ones(8), np.ones(8)])
    assert value == high == 1
    assert 0.7 < low < 0.85


@pytest.mark.parametrize("groups", [[], [[1.0], []], [[float("nan")]]])
def test_what_has_no_mean_is_refused(groups: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"group|questions|counted"):
        mean_of_shares(groups)
