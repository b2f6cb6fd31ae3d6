"""What the plans claim of data: the plan's own rule as it was, and figures of real data that do not change."""

from __future__ import annotations

import pytest

from benchmarks import plan_filters, plan_questions
from benchmarks.answer_values import MATH, SAMPLES
from benchmarks.committee_real import CHAINS, TORA, TRUTH
from benchmarks.plan_filters import as_plan_003
from benchmarks.real_data import missing

needs = pytest.mark.skipif(bool(lost := missing(MATH, SAMPLES, TRUTH, *CHAINS.values(), *TORA.values(),
                                                plan_questions.LOGIC)), reason=lost or "")  # fmt: skip


@pytest.mark.parametrize(
    ("solution", "found"),
    [
        (r"It is $\boxed{42}$.", "42"),
        (r"First $\boxed{1}$, then $\boxed{2}$.", "1"),
        (r"It is $\boxed{\frac{9}{7}}$.", r"\frac{9"),
        ("3 and 4 are 7.", "7"),
        ("Nothing.", None),
    ],
)
def test_plan_003s_rule_takes_the_first_box_as_far_as_its_first_brace(solution: str, found: str | None) -> None:
    assert as_plan_003(solution) == found


@needs
def test_what_a_filter_on_agreement_loses_depends_on_its_teacher() -> None:
    found = {one.what: one for one in plan_filters.agreement()}
    assert found["lost, the plan's own teacher"].share == pytest.approx(0.315)
    assert found["lost, gpt-3.5-turbo"].share == pytest.approx(0.375, abs=0.005)
    assert found["yes in what is left, gpt-3.5-turbo"].share == pytest.approx(0.347, abs=0.005)
    assert found["yes in what is left, gpt4"].share == pytest.approx(0.454, abs=0.005)


@needs
def test_the_consistency_filter_keeps_more_with_more_samples() -> None:
    found = [one.count for one in plan_filters.kept()]
    assert found[:3] == sorted(found[:3])
    assert 5 <= found[2] <= 20


@needs
def test_letters_that_a_teacher_deals_are_even_once_they_are_dealt_anew() -> None:
    _, put, mended = plan_questions.places()
    assert put.share == pytest.approx(0.4, abs=0.05)
    assert mended.share == pytest.approx(0.25, abs=0.05)
