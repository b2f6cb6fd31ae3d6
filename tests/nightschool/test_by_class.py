"""What each class gets right, and what was said instead: counted by hand."""

from __future__ import annotations

import pytest

from nightschool.report.by_class import by_class, classes_table, confusion
from nightschool.report.measure import measure_stage
from nightschool.statistics import wilson
from tests.nightschool.example_rows import answered


def test_each_class_has_its_share_and_an_unreadable_answer_is_not_right() -> None:
    found = by_class(answered([("no", "no"), ("no", "no"), ("no", "yes"), ("yes", None), ("yes", "maybe")]))
    assert found is not None
    no, yes = found.classes
    assert (no.truth, no.right.value, no.right.n) == ("no", pytest.approx(2 / 3), 3)
    assert (no.right.low, no.right.high) == pytest.approx(wilson(2, 3))
    assert (yes.right.value, found.balanced.value) == (0, pytest.approx(1 / 3))
    assert found.worst == yes
    assert confusion(found) == (
        ["truth", "no", "yes", "maybe", "no answer"],
        [["no", "2", "1", "0", "0"], ["yes", "0", "0", "1", "1"]],
    )


def test_always_the_same_answer_is_at_chance_whatever_its_share() -> None:
    found = by_class(answered([("no", "no")] * 90 + [("yes", "no")] * 10))
    assert found is not None
    assert found.balanced.value == 0.5
    assert 0.45 < found.balanced.low < 0.5 < found.balanced.high < 0.65, "ten of a class say little of it"
    assert found.worst.right.value == 0


def test_one_truth_makes_no_classes() -> None:
    assert by_class(answered([("no", "no"), ("no", "yes")])) is None


def test_the_table_has_both_baselines_beside_every_class() -> None:
    stage = measure_stage("sft", answered([("no", "no")] * 3 + [("yes", "no")]))
    head, rows = classes_table([stage])
    assert head == ["truth", "sft", "always no", "chance", "answers"]
    assert [row[2:] for row in rows] == [
        ["100%", "50.0%", "3"], ["0%", "50.0%", "1"], ["50.0%", "50.0%", "4"],
    ]  # fmt: skip
