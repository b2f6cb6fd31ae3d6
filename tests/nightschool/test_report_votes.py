"""The committee's part of the report: verdicts, the agreement curve, each teacher beside the votes."""

from __future__ import annotations

import pytest

from nightschool.report.agreement import curve
from nightschool.report.votes import measure_votes, verdicts, voters_table, words
from nightschool.sitting import Sitting, sit
from nightschool.statistics import paired_share
from tests.nightschool.test_sitting import ruled

RULINGS = [
    *(ruled("7", "7", "7") for _ in range(6)), *(ruled("7", "7", "8") for _ in range(3)), ruled("8", "8", "7"),
    ruled("7", "8", "9", to_review=["tie"], minority="reject"), ruled("8", "9", None, truth=None, to_review=["tie"]),
]  # fmt: skip


def measured(sitting: Sitting, **learned: float):
    return measure_votes(sitting, strategy="majority", voters="teachers", quorum=2, min_agreement=0.6, learned=learned)


def test_verdicts_levels_and_teachers_add_up() -> None:
    found = measured(sit(RULINGS, not_compared=3), ann=0.9)
    assert found
    assert sum(count for _, _, count in verdicts(found)) == found.asked == 12
    assert (found.decided, found.overruled, found.review) == (10, 1, {"tie": 1})
    assert found.right
    assert (found.right.value, found.right.n) == (0.9, 10)
    levels = [(one.least, round(one.coverage, 3), one.right and one.right.value) for one in found.levels]
    assert levels == [(0.65, round(10 / 12, 3), 0.9), (1.0, 0.5, 1.0)]
    ann, _, cleo = found.teachers
    assert ann.gain
    assert cleo.gain
    assert (ann.coverage, ann.learned, ann.gain.value) == (1.0, 0.9, 0.0)
    assert (round(cleo.gain.value, 3), cleo.coverage) == (0.2, 11 / 12)
    assert "3 pairs of answers" in words(found)
    head, rows = voters_table(found)
    assert head == ["who", "voted", "right", "95% interval", "n", "learned", "votes are better by", "p"]
    assert [row[0] for row in rows] == ["ann", "ben", "cleo", "the votes"]


def test_nothing_ruled_on_is_no_part_and_no_truth_is_no_curve() -> None:
    assert measured(Sitting()) is None
    found = measured(sit([ruled("7", "7", None, truth=None), ruled("7", "7", "8", truth=None)]))
    assert found
    assert curve(found) is None
    assert (found.right, voters_table(found)[1][0][1:]) == (None, ["100.0% (34.2% to 100.0%)"])


def test_a_paired_difference_has_the_interval_of_agresti_and_min() -> None:
    # The example of Agresti, Categorical Data Analysis: 1,144 people, 132 and 107 answers that differ.
    value, low, high = paired_share(107, 132, 1144)
    assert (round(value, 4), round(low, 4), round(high, 4)) == (0.0219, -0.0047, 0.0483)
    assert paired_share(0, 0, 5)[0] == 0.0
    with pytest.raises(ValueError, match="not counts of the same"):
        paired_share(3, 3, 5)
