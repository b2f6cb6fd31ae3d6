"""Every interval of the report holds the truth as often as it says, in made-up nights: few of them, for speed."""

from __future__ import annotations

import pytest

from benchmarks.coverage import Case, cases, coverage, simulation_error
from nightschool.statistics import CONFIDENCE

NIGHTS = 200


@pytest.mark.parametrize("case", [one for one in cases() if one.used], ids=lambda one: f"{one.interval}, {one.where}")
def test_an_interval_holds_the_truth_as_often_as_it_says(case: Case) -> None:
    held, _ = coverage(case, NIGHTS)
    assert held >= CONFIDENCE - 4 * simulation_error(NIGHTS)


def test_a_percentile_bootstrap_of_ten_questions_would_be_told() -> None:
    [was] = [one for one in cases() if not one.used and one.where.startswith("10 questions x 1,")]
    assert coverage(was, 4 * NIGHTS)[0] < CONFIDENCE - 3 * simulation_error(4 * NIGHTS)
