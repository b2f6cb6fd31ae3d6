"""A gate passes on a measured figure that holds, and on nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from nightschool.gates import judge
from nightschool.recipe.learning import Gate
from nightschool.report.figures import Report
from nightschool.report.proof import Committee, Estimate, Gain, Latency, Stage
from nightschool.sitting import sit
from tests.nightschool.example_report import night
from tests.nightschool.test_report_votes import RULINGS, measured


def report(*, committee: bool = True) -> Report:
    latency = Latency(n=40, mean_s=0.2, mean_low_s=0.18, mean_high_s=0.23, p50_s=0.19, p95_s=0.3, p99_s=0.4, max_s=0.5)
    base = Stage(
        name="base",
        accuracy=Estimate(value=0.4, low=0.35, high=0.45, n=400),
        valid_share=1,
        valid_low=0.99,
        valid_high=1,
    )
    sft = Stage(
        name="sft",
        accuracy=Estimate(value=0.7, low=0.66, high=0.74, n=400),
        valid_share=0.96,
        valid_low=0.93,
        valid_high=0.98,
        gain=Gain(over="base", value=0.3, low=0.25, high=0.35),
        gain_over_base=Gain(over="base", value=0.3, low=0.25, high=0.35),
        latency=latency,
    )
    found = Committee(
        asked=100, rows=90, accuracy=0.95, low=0.9, high=0.98, best_teacher="ada", best_teacher_accuracy=0.9,
        gain=Gain(over="ada", value=0.05, low=-0.01, high=0.11),
        vote_rows=80, vote_gain=Gain(over="bea", value=0.03, low=0.01, high=0.05),
    )  # fmt: skip
    return Report(night=night(), stages=(base, sft), committee=found if committee else None)


@pytest.mark.parametrize(
    ("gate", "value", "passed"),
    [
        ({"metric": "accuracy", "stage": "sft", "at_least": 0.70}, 0.7, True),
        ({"metric": "accuracy", "stage": "sft", "at_least": 0.70, "by": "interval"}, 0.7, False),
        ({"metric": "accuracy", "stage": "sft", "at_least": 0.66, "by": "interval"}, 0.7, True),
        ({"metric": "accuracy", "stage": "base", "at_most": 0.44, "by": "interval"}, 0.4, False),
        ({"metric": "accuracy_gain", "stage": "sft", "over": "base", "at_least": 0.26}, 0.3, True),
        ({"metric": "accuracy_gain", "stage": "sft", "over": "base", "at_least": 0.26, "by": "interval"}, 0.3, False),
        ({"metric": "valid_share", "stage": "sft", "at_least": 0.95}, 0.96, True),
        ({"metric": "valid_share", "stage": "sft", "at_least": 0.95, "by": "interval"}, 0.96, False),
        ({"metric": "latency_mean_s", "stage": "sft", "at_most": 0.22}, 0.2, True),
        ({"metric": "latency_mean_s", "stage": "sft", "at_most": 0.22, "by": "interval"}, 0.2, False),
        ({"metric": "latency_p99_s", "stage": "sft", "at_most": 0.4}, 0.4, True),
        ({"metric": "committee_gain", "at_least": 0.0}, 0.05, True),
        ({"metric": "committee_gain", "at_least": 0.0, "by": "interval"}, 0.05, False),
        ({"metric": "vote_gain", "at_least": 0.0}, 0.03, True),
    ],
)
def test_near_end_of_the_interval_or_the_value_counts(gate: dict[str, Any], value: float, passed: bool) -> None:
    result = judge(Gate(name="g", **gate), report())
    assert (result.value, result.passed) == (value, passed)
    assert result.limit == gate.get("at_least", gate.get("at_most"))


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ({"metric": "accuracy", "stage": "dpo", "at_least": 0.0}, "no figures of stage dpo"),
        ({"metric": "accuracy_gain", "stage": "dpo", "over": "sft", "at_least": -1.0}, "no figures of stage dpo"),
        ({"metric": "latency_mean_s", "stage": "base", "at_most": 99.0}, "stage base was not timed"),
        ({"metric": "committee_gain", "at_least": -1.0}, "no figures of the committee"),
    ],
)
def test_what_was_not_measured_fails_with_the_reason(gate: dict[str, Any], reason: str) -> None:
    result = judge(Gate(name="g", **gate), report(committee=False))
    assert (result.passed, result.value) == (False, None)
    assert reason in result.detail


def test_votes_on_solutions_are_gated_against_the_best_teacher() -> None:
    found = measured(sit(RULINGS))
    assert found
    known = report(committee=False).model_copy(update={"votes": found})
    result = judge(Gate(name="g", metric="vote_gain", at_least=-0.5), known)
    assert result.value == min(one.gain.value for one in found.teachers if one.gain) == 0.0
    assert judge(Gate(name="g", metric="committee_gain", at_least=-0.5), known).value is None


def test_a_percentile_by_interval_is_refused_before_any_night() -> None:
    with pytest.raises(ValidationError, match="99th percentile has no interval"):
        Gate(name="g", metric="latency_p99_s", stage="sft", at_most=9, by="interval")


def test_detail_names_figure_interval_and_limit() -> None:
    gate = Gate(name="g", metric="accuracy_gain", stage="sft", over="base", at_least=0.15, by="interval")
    assert judge(gate, report()).detail == (
        "sft accuracy gain over base is +30.0 points (95% interval +25.0 points to +35.0 points); "
        "wanted: at least 15 points by interval"
    )


def test_a_gain_over_another_stage_is_not_the_gain_that_was_asked_for() -> None:
    known = report()
    sft = known.stages[1].model_copy(update={"gain": None, "gain_over_base": None})
    lone = known.model_copy(update={"stages": (known.stages[0], sft)})
    result = judge(Gate(name="g", metric="accuracy_gain", stage="sft", over="base", at_least=-1), lone)
    assert not result.passed
    assert "sft was not compared with base" in result.detail
