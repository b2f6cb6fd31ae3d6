"""Plan 002's disaster on real labels: found, told, and mended to within two points."""

from __future__ import annotations

import pytest

from benchmarks.skew_replay import DATA, MOST_SKEW, replays

pytestmark = pytest.mark.skipif(not (DATA / "strategyqa").is_dir(), reason=f"the real data is not in {DATA}")


def test_a_filter_that_drops_yes_more_often_is_found_told_and_mended() -> None:
    found = {one.name: one for one in replays()}
    plan, gpt4 = found["plan 002's teacher"], found["gpt4"]
    assert plan.after["yes"] / sum(plan.after.values()) == pytest.approx(0.285, abs=0.02)
    for one in found.values():
        for method, shares in one.mended.items():
            assert shares.steps[-1].shares["yes"] == pytest.approx(one.target["yes"], abs=0.02), method
    assert "the balance mended it" in plan.mended["weights"].warning
    step = gpt4.mended["weights"].steps[1]
    assert not step.skewed
    assert step.w is not None
    assert step.w < MOST_SKEW
