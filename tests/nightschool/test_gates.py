"""A gate passes on a measured figure that holds, and on nothing else."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from pydantic import ValidationError

from nightschool.errors import GateFailed
from nightschool.gates import judge, refuse
from nightschool.recipe.gate import Gate
from nightschool.report.ablated import Ablation, Shown
from nightschool.report.figures import Report
from nightschool.report.measure import measure_stage
from nightschool.report.proof import Committee, Estimate, Gain
from nightschool.report.stage import Contamination, Latency, Stage
from nightschool.report.verdict import conclude
from nightschool.sitting import sit
from tests.nightschool.example_report import night
from tests.nightschool.example_rows import answered
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
        over_guessing=Gain(over="always B", value=0.2, low=0.15, high=0.25, p=0.0),
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


# What a thinking reader would have wanted of plan 002's student, and of plan 000's.
OF_SKILL: list[dict[str, Any]] = [
    {"metric": "accuracy", "at_least": 0.5},
    {"metric": "accuracy", "at_least": 0.4, "by": "interval"},
    {"metric": "accuracy_gain", "over": "base", "at_least": 0.07},
    {"metric": "accuracy_gain", "over": "base", "at_least": 0.0, "by": "interval"},
    {"metric": "guessing_gain", "at_least": 0.001},
    {"metric": "guessing_gain", "at_least": 0.001, "by": "interval"},
    {"metric": "balanced_accuracy", "at_least": 0.51},
    {"metric": "worst_class_accuracy", "at_least": 0.01},
]


@cache
def plan_002(said: str | None = None) -> Report:
    """Its test of 354 no and 333 yes; a base that two of three times says nothing, then a student that says this, or
    what is right in nine of ten."""
    truths = ["no"] * 354 + ["yes"] * 333
    other = {"no": "yes", "yes": "no"}
    base = answered([(truth, truth if place % 3 == 0 else None) for place, truth in enumerate(truths)])
    sft = answered(
        [(truth, said or (other[truth] if place % 10 == 0 else truth)) for place, truth in enumerate(truths)]
    )
    return Report(
        night=night(), stages=(measure_stage("base", base), measure_stage("sft", sft, earlier={"base": base}))
    )


@pytest.mark.parametrize("gate", OF_SKILL)
def test_always_no_fails_every_gate_that_is_about_skill(gate: dict[str, Any]) -> None:
    held = Gate(name="g", stage="sft", **gate)
    found = judge(held, plan_002("no"))
    assert found.value is not None
    assert not found.passed
    assert judge(held, plan_002()).passed, "a student that knows something passes it"


def test_always_no_is_told_why_although_its_figure_is_within_the_limit() -> None:
    found = judge(Gate(name="g", metric="accuracy", stage="sft", at_least=0.5), plan_002("no"))
    assert found.value == pytest.approx(0.515, abs=5e-4)
    assert "not measurably above always no: +0.0 points" in found.detail
    may = Gate(name="g", metric="accuracy", stage="sft", at_least=0.5, if_guessed="pass")
    assert judge(may, plan_002("no")).passed


def test_a_gate_that_warns_fails_no_night_and_is_told() -> None:
    gates = [Gate(name="soft", metric="accuracy", stage="sft", at_least=0.99, on_failure="warn")]
    found = conclude(plan_002(), gates)
    refuse(found.gates)
    assert (found.gates[0].passed, found.night.outcome) == (False, "passed")
    assert "1 gate warned: soft" in found.night.verdict
    hard = conclude(plan_002(), [gates[0].model_copy(update={"on_failure": "fail"})])
    assert hard.night.outcome == "failed"
    with pytest.raises(GateFailed, match="1 of 1 gates failed: soft"):
        refuse(hard.gates)


def test_taught_questions_among_the_held_out_fail_their_gate() -> None:
    gate = Gate(name="g", metric="contamination", at_most=0)
    seen = Contamination(held_out=50, taught=900, same=1, near=0, threshold=0.8)
    assert judge(gate, plan_002().model_copy(update={"contamination": seen})).value == 0.02
    assert judge(gate, plan_002().model_copy(update={"contamination": seen.model_copy(update={"same": 0})})).passed
    assert not judge(gate, plan_002()).passed


@pytest.mark.parametrize(
    "gate",
    [{"metric": "latency_mean_s", "stage": "sft", "at_most": 9},
     {"metric": "draft_gain", "stage": "sft", "at_least": 0},
     {"metric": "match_wins", "player": "sft", "at_least": 1}],
)  # fmt: skip
def test_what_is_measured_last_can_skip_no_stage_but_stop_what_follows(gate: dict[str, Any]) -> None:
    assert Gate(name="g", on_failure="stop", **gate).steers
    with pytest.raises(ValidationError, match="when no stage is left to skip"):
        Gate(name="g", on_failure="skip", **gate)


def test_what_a_draft_is_worth_is_the_loss_without_it() -> None:
    gate = Gate(name="drafts", metric="draft_gain", stage="sft", at_least=0.03, by="interval")
    lost = Shown(variant="no_draft", right=Estimate(value=0.6, low=0.55, high=0.65, n=400),
                 change=Gain(over="its draft", value=-0.1, low=-0.15, high=-0.05, p=0.001, n=400))  # fmt: skip
    as_is = Estimate(value=0.7, low=0.65, high=0.75, n=400)
    found = Ablation(stage="sft", drafter="base", as_is=as_is, shown=(lost,))
    told = judge(gate, report().model_copy(update={"ablations": (found,)}))
    assert (told.value, told.passed) == (0.1, True)
    assert "+10.0 points (95% interval +5.0 points to +15.0 points, n 400)" in told.detail
    assert "sft was not asked without its draft" in judge(gate, report()).detail
