"""What is reached without having learned anything."""

from __future__ import annotations

import pytest

from nightschool.records import Measured
from nightschool.report.guessing import TRUTH, UNREAD, baselines, by_topic, leaning, over_guessing, said
from nightschool.statistics import mcnemar_exact, wilson
from tests.nightschool.example_rows import answered


def rows(truths: list[str], seeds: int = 1) -> list[Measured]:
    return [
        Measured(
            id=f"q{place}@{seed}", question=f"q{place}", topic="t", seed=seed, truth=truth, value=None, right=False,
            reason="no_answer", latency_s=0.1, tokens_out=1, text="",
        )
        for place, truth in enumerate(truths)
        for seed in range(seeds)
    ]  # fmt: skip


def test_plan_002s_failed_phase_is_its_majority_class() -> None:
    found = baselines(rows(["no"] * 354 + ["yes"] * 333), closed=True)
    assert list(found) == ["always no", "chance"]
    assert found["always no"].value == pytest.approx(0.515, abs=5e-4)
    assert (found["always no"].low, found["always no"].high) == pytest.approx(wilson(354, 687))
    assert found["chance"].value == 0.5


def test_seeds_are_not_questions() -> None:
    assert baselines(rows(["yes", "no", "no"], seeds=4), closed=True)["always no"].n == 3


@pytest.mark.parametrize("truths", [["7", "8", "8"], ["yes"]])
def test_open_answers_and_a_single_class_have_no_chance(truths: list[str]) -> None:
    assert "chance" not in baselines(rows(truths), closed=truths == ["yes"])


def test_a_collapse_to_one_class_is_told_beside_the_truth() -> None:
    asked = rows(["no"] * 54 + ["yes"] * 46)
    collapsed = [row.model_copy(update={"value": "no" if place else None}) for place, row in enumerate(asked)]
    found = said({"cot": collapsed}, closed=True)
    assert found == {TRUTH: {"no": 54, "yes": 46}, "cot": {"no": 99, UNREAD: 1}}
    assert leaning(found, "cot") == "99 of its 100 answers are no, which is true of 54 of 100"
    assert leaning(found, "dpo") == ""
    assert leaning({TRUTH: {"no": 5}, "sft": {"no": 2, UNREAD: 3}}, "sft") == "3 of its 5 replies could not be read"
    assert said({"cot": collapsed}, closed=False) == {}


def test_nothing_measured_has_no_baseline() -> None:
    assert baselines([], closed=True) == {}


def test_always_the_commonest_answer_gains_nothing_over_itself() -> None:
    same = over_guessing(answered([("no", "no")] * 6 + [("yes", "no")] * 4))
    assert (same.over, same.value, same.p) == ("always no", 0, 1)
    assert same.low == pytest.approx(-same.high)
    better = over_guessing(answered([("no", "no")] * 60 + [("yes", "yes")] * 40))
    assert (better.value, better.significant) == (0.4, True)
    assert better.p == pytest.approx(mcnemar_exact(0, 40))


def test_a_topic_has_its_own_commonest_answer() -> None:
    both = [row.model_copy(update={"topic": row.truth}) for row in rows(["a", "b", "b"])]
    assert {topic: list(found) for topic, found in by_topic(both, closed=False).items()} == {
        "a": ["always a"], "b": ["always b"],
    }  # fmt: skip
