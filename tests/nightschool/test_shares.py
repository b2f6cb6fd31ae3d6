"""Shares along a night: plan 002's skew is warned about, mended or not, and chance is no warning."""

from __future__ import annotations

import pytest

from nightschool.gates import judge
from nightschool.recipe.gate import Gate
from nightschool.report.page import render
from nightschool.report.shares import Shares, Step, measure_shares
from nightschool.report.terminal import summary_lines
from tests.nightschool.example_report import example

ASKED, KEPT = {"yes": 91.0, "no": 109.0}, {"yes": 39.0, "no": 98.0}
SKEWED = Step("committee", ASKED, KEPT)


def measured(*steps: Step, wanted: dict[str, float] | None = None) -> Shares:
    found = measure_shares("answer", steps, wanted=wanted, most_skew=0.1)
    assert found is not None
    return found


def test_what_is_skewed_and_not_mended_is_said_wherever_a_person_looks() -> None:
    found = measured(SKEWED)
    assert found.warning.startswith(
        "The step committee moved answer yes from 45.5% of 200 to 28.5% of 137 rows "
        "(Cohen's w 0.34, p <\N{NO-BREAK SPACE}0.001)"
    )
    assert found.warning.endswith("it is not mended: 28.5% of 137 is taught")
    report = example().model_copy(update={"shares": (found,)})
    assert any(line.startswith("  WARNING") and "28.5%" in line for line in summary_lines(report))
    head = render(report).partition('id="first"')[0]
    assert "it is not mended: 28.5% of 137 is taught" in head


@pytest.mark.parametrize(
    ("after", "wanted", "mended"),
    [
        ({"yes": 39.0, "no": 39.0}, {"yes": 0.5, "no": 0.5}, True),
        ({"yes": 39.0, "no": 47.0}, None, True),
        ({"yes": 39.0, "no": 60.0}, {"yes": 0.5, "no": 0.5}, False),
    ],
)
def test_a_balance_mends_what_it_brings_to_the_shares_that_are_wanted(
    after: dict[str, float], wanted: dict[str, float] | None, mended: bool
) -> None:
    found = measured(SKEWED, Step("balance", KEPT, after), wanted=wanted)
    assert found.mended is mended
    assert ("the balance mended it" in found.warning) is mended
    assert found.worst == pytest.approx(0.342, abs=1e-3)


def test_small_steps_that_add_up_are_told_of_together() -> None:
    middle, end = {"yes": 900.0, "no": 1000.0}, {"yes": 800.0, "no": 1000.0}
    found = measured(Step("format", {"yes": 1000.0, "no": 1000.0}, middle), Step("length", middle, end))
    assert not any(step.skewed for step in found.steps)
    assert found.warning.startswith("All filters together moved answer yes from 50.0% of 2,000 to 44.4% of 1,800 rows")


def test_a_few_rows_that_fell_by_chance_are_no_warning() -> None:
    assert measured(Step("length", {"yes": 10.0, "no": 10.0}, {"yes": 9.0, "no": 7.0})).warning == ""
    assert measure_shares("topic", [Step("length", {"maths": 9.0}, {"maths": 5.0})], wanted=None, most_skew=0.1) is None


@pytest.mark.parametrize(("metric", "limit", "passed"), [
    ("filter_skew", 0.3, False), ("filter_skew", 0.4, True), ("class_skew", 0.1, True),
])  # fmt: skip
def test_gates_read_the_worst_step_and_what_is_taught(metric: str, limit: float, passed: bool) -> None:
    found = measured(SKEWED, Step("balance", KEPT, {"yes": 39.0, "no": 39.0}), wanted={"yes": 0.5, "no": 0.5})
    gate = Gate.model_validate({"name": "skew", "metric": metric, "at_most": limit})
    assert judge(gate, example().model_copy(update={"shares": (found,)})).passed is passed
    assert not judge(gate, example().model_copy(update={"shares": ()})).passed
