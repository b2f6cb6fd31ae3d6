"""How sure a student is, told by its answers under several seeds."""

from __future__ import annotations

import numpy as np
import pytest

from nightschool.report.calibration import calibration
from tests.nightschool.example_rows import answered


def test_the_others_that_say_the_same_are_counted() -> None:
    found = calibration(answered([("A", "A", "A", "B"), ("A", "C", "C", "C"), ("B", "B", None, None)]))
    assert found is not None
    assert found.questions == 2  # of the third nothing else is known
    assert [(round(level.sure, 3), level.right.value, level.right.n) for level in found.levels] == [
        (0, 0, 1), (0.5, 1, 2), (1, 0, 3),
    ]  # fmt: skip
    assert found.confidence == pytest.approx((1 / 3 + 1) / 2)
    assert found.sure is not None
    assert (found.sure.value, found.sure.n) == (pytest.approx(found.confidence), 2)
    assert 0 <= found.sure.low < found.confidence < found.sure.high <= 1
    assert found.gap == pytest.approx(((1 / 3 - 2 / 3) + (1 - 0)) / 2)


def test_one_seed_says_nothing_of_how_sure() -> None:
    assert calibration(answered([("A", "A"), ("B", "A")])) is None


def test_always_the_same_answer_is_too_sure() -> None:
    found = calibration(answered([("no", "no", "no")] * 60 + [("yes", "no", "no")] * 40))
    assert found is not None
    assert (found.confidence, found.gap) == (1, pytest.approx(0.4))
    assert found.low > 0.29


def test_a_student_that_draws_its_answers_as_the_truth_is_has_no_gap() -> None:
    """100 students of 60 questions and 3 seeds, each question with shares of its own; about 1 s."""
    rng, hits = np.random.default_rng(8), 0
    for _ in range(100):
        shares_Q = rng.dirichlet((1, 1, 0.5), 60)
        drawn_Q_4 = [rng.choice(["A", "B", "C"], 4, p=shares) for shares in shares_Q]
        found = calibration(answered([tuple(map(str, one)) for one in drawn_Q_4]))
        assert found is not None
        hits += found.low <= 0 <= found.high
    # 95 of 100, and three binomial standard deviations are 6.5.
    assert hits >= 88
