"""Rows in, figures out: the same numbers as counting by hand."""

from operator import eq

import pytest

from nightschool.records import Letter, Measured
from nightschool.report.figures import Report
from nightschool.report.measure import as_ruled, compare, measure_committee, measure_latency, measure_stage
from nightschool.report.proof import Gain
from nightschool.report.student import verdict
from nightschool.report.verdict import verdict_line
from nightschool.statistics import mcnemar_exact, wilson
from tests.nightschool.example_report import night
from tests.nightschool.example_rows import TEACHERS, answered, measured, rulings


def rows(letters: dict[str, list[Letter | None]]) -> list[Measured]:
    """Every right answer is A; a question's letters are its answers under seeds 0, 1, ..."""
    return [
        Measured(
            id=f"{question}@{seed}", question=question, topic=question[:3], seed=seed, truth="A", value=letter,
            right=letter == "A", reason=None, latency_s=0.1, tokens_out=3, text="",
        )
        for question, given in letters.items()
        for seed, letter in enumerate(given)
    ]  # fmt: skip


def test_an_unreadable_answer_is_not_right_and_not_valid() -> None:
    stage = measure_stage("base", rows({"sea1": ["A"], "sea2": [None], "ser1": ["B"], "ser2": ["A"]}))
    assert (stage.accuracy.value, stage.accuracy.n) == (0.5, 4)
    assert (stage.accuracy.low, stage.accuracy.high) == pytest.approx(wilson(2, 4))
    assert stage.valid_share == 0.75
    assert {topic: found.value for topic, found in stage.per_topic.items()} == {"sea": 0.5, "ser": 0.5}
    assert stage.gain is None
    assert stage.latency is None


def test_gains_are_paired_and_named_after_what_they_are_over() -> None:
    base = rows({f"sea{i}": ["A" if i < 10 else "B"] for i in range(40)})
    sft = rows({f"sea{i}": ["A" if i >= 4 else "B"] for i in range(40)})
    dpo = rows({f"sea{i}": ["A"] for i in range(40)})
    stage = measure_stage("dpo", dpo, earlier={"base": base, "sft": sft})
    assert stage.gain is not None
    assert stage.gain_over_base is not None
    assert (stage.gain.over, stage.gain.value) == ("sft", pytest.approx(0.1))
    assert (stage.gain_over_base.over, stage.gain_over_base.value) == ("base", pytest.approx(0.75))
    assert stage.gain.p == pytest.approx(mcnemar_exact(0, 4))
    assert stage.gain.low <= 0.1 <= stage.gain.high


def test_a_question_that_the_world_kept_from_an_answer_is_left_out() -> None:
    whole = rows({"sea1": ["A", "A"], "sea2": ["B", "B"], "sea3": ["A", "B"]})
    torn = [row for row in whole if row.id != "sea2@1"]
    assert measure_stage("sft", torn).accuracy.n == 4
    gain = compare("base", torn, whole)
    assert gain is not None
    assert gain.value == 0
    assert compare("base", torn[:1], whole[4:]) is None


def test_a_stage_that_was_stopped_half_way_is_measured_on_what_there_is() -> None:
    whole = rows({"sea1": ["A", "A"], "sea2": ["A", "B"], "sea3": ["B", "B"]})
    split = [row for row in whole if row.id in ("sea1@0", "sea2@0", "sea3@1")]
    found = measure_stage("sft", split)
    assert (found.accuracy.value, found.accuracy.n) == (1.0, 2)
    with pytest.raises(ValueError, match="questions x seeds"):
        measure_stage("sft", [])


def test_a_stage_does_not_gain_over_itself() -> None:
    found = measured("sft", questions=20)
    assert measure_stage("sft", found, earlier={"sft": found}).gain is None


def test_latency_is_counted_not_fitted() -> None:
    found = measure_latency([0.1] * 98 + [1.0, 3.0])
    assert (found.n, found.p50_s, found.max_s) == (100, 0.1, 3.0)
    assert found.mean_s == pytest.approx(0.138)
    assert found.mean_low_s < 0.138 < found.mean_high_s


def test_committee_and_teachers_are_compared_on_the_same_rows() -> None:
    found = measure_committee(rulings(), teachers=TEACHERS, verifier="solver")
    assert found is not None
    accepted = [ruling for ruling in rulings() if ruling.answer]
    best = max(sum(r.votes[name] == r.question.truth for r in accepted) / len(accepted) for name in TEACHERS)
    assert found.rows == len(accepted) < found.asked
    assert found.best_teacher_accuracy == pytest.approx(best)
    assert found.gain is not None
    assert found.gain.value == pytest.approx(found.accuracy - best)
    decided = [ruling for ruling in rulings() if ruling.vote]
    assert found.vote_rows == len(decided)
    assert found.vote_accuracy == sum(r.vote == r.question.truth for r in decided) / len(decided)
    assert [teacher.name for teacher in found.teachers] == list(TEACHERS)
    assert all(0.9 < teacher.coverage < 1 for teacher in found.teachers)


def test_nothing_accepted_is_no_committee() -> None:
    dropped = [ruling.model_copy(update={"answer": None}) for ruling in rulings(20)]
    assert measure_committee(dropped, teachers=TEACHERS, verifier="none") is None


def test_an_accepted_row_without_a_certain_truth_is_not_measured() -> None:
    some = rulings(40)
    blind = [row.model_copy(update={"question": row.question.model_copy(update={"truth": None})}) for row in some[:20]]
    found = measure_committee([*blind, *some[20:]], teachers=TEACHERS, verifier="none")
    assert found is not None
    assert (found.asked, found.rows) == (40, sum(row.answer is not None for row in some[20:]))


def test_agreement_with_the_committee_is_on_what_it_ruled_on() -> None:
    found = as_ruled(answered([("A", "A"), ("A", "B"), ("A", None), ("A", "A")]), {"q0": "A", "q1": "B", "q2": "A"}, eq)
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(2 / 3), 3)
    assert as_ruled(answered([("A", "A")]), {}, eq) is None


def test_a_difference_that_is_not_significant_is_called_so() -> None:
    base = rows({f"sea{i}": ["A" if i < 20 else "B"] for i in range(40)})
    sft = rows({f"sea{i}": ["A" if i < 22 else "B"] for i in range(40)})
    stage = measure_stage("sft", sft, earlier={"base": base})
    assert stage.gain is not None
    assert verdict(stage.gain) == "no significant difference"
    assert "not significant" in verdict_line(Report(night=night(), stages=(measure_stage("base", base), stage)))


def test_the_interval_alone_makes_no_difference_significant() -> None:
    gain = Gain(over="base", value=0.1, low=0.01, high=0.2, p=0.06)
    assert not gain.significant
    assert gain.model_copy(update={"p": 0.04}).significant


def test_unreadable_answers_are_counted_by_reason() -> None:
    stage = measure_stage("sft", answered([("A", None), ("B", "B"), ("A", None)]))
    assert stage.unread == {"no_answer": 2}
