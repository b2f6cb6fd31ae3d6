"""Skew: plan 002's figures, scipy's as reference, and counts that say nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association

from nightschool.skew import skew

COUNTS = st.lists(st.tuples(st.integers(20, 300), st.floats(0.3, 0.7)), min_size=2, max_size=6)


def test_plan_002s_filter_is_a_medium_skew_that_is_no_chance() -> None:
    found = skew({"yes": 91, "no": 109}, {"yes": 39, "no": 98})
    assert found is not None
    assert found.w == pytest.approx(0.342, abs=1e-3)
    assert (found.moved, round(100 * found.shift)) == ("no", 17)
    assert found.p is not None
    assert found.p < 1e-8


@given(COUNTS)
def test_chi_square_and_cramers_v_are_scipys(rows: list[tuple[int, float]]) -> None:
    before = {str(place): float(n) for place, (n, _) in enumerate(rows)}
    after = {str(place): float(round(n * share)) for place, (n, share) in enumerate(rows)}
    found = skew(before, after)
    assert found is not None
    table = [[after[name] for name in before], [before[name] - after[name] for name in before]]
    assert found.p == pytest.approx(chi2_contingency(table, correction=False)[1], abs=1e-9)
    assert found.v == pytest.approx(association([[round(one) for one in row] for row in table]), abs=1e-9)


def test_a_few_rows_of_many_classes_prove_nothing() -> None:
    before = {f"{place}": 2.0 for place in range(50)}
    found = skew(before, before | {"7": 0.0})
    assert found is not None
    assert found.p == 1.0


def test_nothing_left_is_no_skew_and_nothing_lost_has_no_test() -> None:
    assert skew({"yes": 3}, {}) is None
    same = skew({"yes": 3, "no": 5}, {"yes": 3, "no": 5})
    assert same is not None
    assert (same.w, same.p) == (0.0, None)
