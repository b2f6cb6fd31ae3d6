"""How long a problem may take, and who is worth asking in that time."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from nightschool.stopwatch import Pace, allowance_s, worth_asking


@given(st.lists(st.floats(0, 2), min_size=1, max_size=60), st.integers(1, 8), st.floats(1, 100), st.floats(0.1, 10))
def test_problems_that_keep_to_their_allowance_keep_to_the_total(
    taken: list[float], at_once: int, total_s: float, most_s: float
) -> None:
    """`taken`: how much of its allowance each problem would like, as a share; more than all of it is not to be had."""
    left_s, count = total_s, len(taken)
    for first in range(0, count, at_once):
        allowed = allowance_s(left_s=left_s, to_come=count - first, at_once=at_once, most_s=most_s)
        assert allowed is not None
        assert 0 <= allowed <= most_s
        left_s -= max(min(share, 1.0) * allowed for share in taken[first : first + at_once])
    assert left_s >= -1e-9


def test_what_one_problem_leaves_over_is_shared_by_the_others() -> None:
    assert allowance_s(left_s=100, to_come=10, at_once=1, most_s=None) == 10
    assert allowance_s(left_s=99, to_come=9, at_once=1, most_s=None) == 11
    assert allowance_s(left_s=100, to_come=10, at_once=4, most_s=None) == 100 / 3
    assert allowance_s(left_s=None, to_come=10, at_once=1, most_s=None) is None
    assert allowance_s(left_s=-1, to_come=10, at_once=1, most_s=5) == 0


def test_a_slow_model_is_left_out_where_it_would_not_answer_in_time_and_the_fast_one_never() -> None:
    paces = {"strong": Pace(), "fast": Pace()}
    models = ("strong", "fast", "new")
    assert worth_asking(models, paces, within_s=1.0, fast="fast") == models
    for name in paces:
        paces[name].replied(45.0)
    assert worth_asking(models, paces, within_s=30.0, fast="fast") == ("fast", "new")
    assert worth_asking(models, paces, within_s=60.0, fast="fast") == models
    assert worth_asking(models, paces, within_s=None, fast=None) == models
    assert worth_asking(models, paces, within_s=0.0, fast="fast") == ()


def test_a_model_that_was_late_again_and_again_tries_again_only_with_more_time() -> None:
    pace = Pace()
    for _ in range(2):
        pace.was_late(10.0)
    assert pace.fits(10.0)
    pace.was_late(9.0)
    assert not pace.fits(10.0)
    assert pace.fits(10.1)
    pace.replied(3.0)
    assert pace.fits(9.0)
    assert not pace.fits(math.nextafter(3.0, 0))
