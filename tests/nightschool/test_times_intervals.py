"""Intervals of times hold the truth: of means over requests whose tokens are alike, and of our client against none."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from nightschool.report.timed import spread
from nightschool.report.times import Times, WayTimes, longer
from nightschool.resampling import bootstrap_mean


def test_one_time_a_request_has_the_interval_of_a_mean() -> None:
    seconds = np.random.default_rng(1).gamma(2, 0.5, 30)
    found = spread([(float(one),) for one in seconds])
    assert found is not None
    assert (found.mean, found.mean_low, found.mean_high) == pytest.approx(bootstrap_mean(seconds, seed=0))
    assert (found.n, found.max) == (30, seconds.max())
    assert spread([(), ()]) is None


def test_gaps_of_one_request_are_alike_and_their_mean_knows_it() -> None:
    """Requests of 5 to 60 tokens, each with a pace of its own, whose mean over tokens is 0.02 s; about 2 s."""
    rng, held, naive = np.random.default_rng(2), 0, 0
    for _ in range(60):
        paces = [np.full(rng.integers(5, 60), rng.gamma(8, 0.02 / 8)) for _ in range(30)]
        gaps_R = [tuple(float(gap) for gap in pace * rng.gamma(20, 1 / 20, pace.size)) for pace in paces]
        found = spread(gaps_R)
        assert found is not None
        held += (found.mean_low or 1) <= 0.02 <= (found.mean_high or 0)
        _, low, high = bootstrap_mean([gap for gaps in gaps_R for gap in gaps], seed=0, resamples=500)
        naive += low <= 0.02 <= high
    # 57 of 60, less three binomial standard deviations.
    assert held >= 52
    assert naive < 40, "as if every gap were drawn by itself"


def way(rng: np.random.Generator, name: Literal["single", "plain"], mean_s: float) -> WayTimes:
    seconds = [(float(one),) for one in mean_s * rng.gamma(6, 1 / 6, 40)]
    return WayTimes(way=name, warm=True, batch_size=1, n=40, e2el=spread(seconds), total_s=1.0)


def test_how_much_longer_a_request_takes_by_our_client_has_an_interval_that_holds_the_truth() -> None:
    rng, held = np.random.default_rng(3), 0
    for _ in range(60):
        times = Times(of="answers", stage="sft", ways=(way(rng, "single", 0.55), way(rng, "plain", 0.5)))
        found = longer(times)
        assert found is not None
        ratio, low, high, n = found
        assert low < ratio < high
        assert n == 40
        held += low <= 1.1 <= high
    assert held >= 52
    assert longer(Times(of="answers", stage="sft", ways=())) is None
