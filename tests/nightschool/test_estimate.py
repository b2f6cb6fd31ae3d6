"""Seconds ahead, by whatever was measured nearest."""

import pytest

from nightschool.estimate import Evening, outlook
from nightschool.starts import Start

WHO = {"teachers": "alba on vllm", "student": "s", "training": "s", "players": "all"}


def evening(name: str = "tonight", who=WHO, **took: tuple[float, float]) -> Evening:
    return Evening(name, took, who, start_s=0.0, rest_s=0.0)


def seconds(missing, now, *earlier) -> dict[str, float]:
    return {one.phase: one.seconds for one in outlook(missing, now, earlier).phases}


def test_an_earlier_night_s_rates_hold_for_other_counts():
    past = evening("tue", answers=(1000, 500), sft=(50, 25), pool=(1, 3))
    assert seconds({"answers": 2000, "sft": 100, "pool": 1}, evening(), past) == {
        "answers": pytest.approx(1000), "sft": pytest.approx(50), "pool": pytest.approx(3)
    }  # fmt: skip


def test_what_is_there_takes_nothing():
    assert seconds({"answers": 0.0, "sft": 10}, evening(), evening("tue", sft=(10, 7))) == {"sft": pytest.approx(7)}


def test_teachers_that_are_slower_this_evening_are_slower_in_what_follows():
    past = evening("tue", questions=(100, 10), answers=(1000, 100), sft=(10, 10))
    found = outlook({"answers": 1000, "sft": 10}, evening(questions=(100, 30)), [past])
    assert [round(one.seconds) for one in found.phases] == [300, 10]
    assert found.phases[0].basis == "on night tue, slower as this evening is"


def test_a_phase_that_goes_on_goes_by_itself():
    past = evening("tue", answers=(1000, 100))
    found = outlook({"answers": 500}, evening(answers=(500, 400)), [past])
    assert found.seconds == pytest.approx(400)
    assert found.basis == "measured this evening: answers"


def test_a_phase_that_was_never_measured_goes_by_its_like():
    found = outlook({"answers": 1000, "dpo": 100}, evening(questions=(100, 5), sft=(300, 30)), [])
    assert [round(one.seconds, 1) for one in found.phases] == [50.0, 26.7]
    assert "from this evening's questions: answers" in found.basis


def test_the_same_models_count_before_newer_nights_of_others():
    others = evening("wed", {**WHO, "teachers": "bruno on vllm"}, answers=(100, 1))
    same = evening("tue", answers=(100, 50))
    assert outlook({"answers": 100}, evening(), [others, same]).seconds == pytest.approx(50)
    assert "other models" in outlook({"answers": 100}, evening(), [others]).basis


def test_servers_start_once_for_phases_that_share_them():
    past = Evening("tue", {"questions": (10, 1), "answers": (10, 1), "validate": (10, 1)}, WHO, 100.0, 2.0)
    ahead = {"questions": 10.0, "answers": 10.0, "validate": 10.0}
    tonight = Evening("tonight", {}, WHO)
    assert outlook(ahead, tonight, [past]).seconds == pytest.approx(3 + 2 * 100 + 3 * 2)
    assert outlook(ahead, tonight, [past], up=("questions",)).seconds == pytest.approx(3 + 100 + 3 * 2)


def test_the_student_is_proven_before_the_arena():
    past = evening("tue", sft=(1, 1), validate=(1, 2), arena=(1, 40))
    found = outlook({"sft": 1.0, "validate": 1.0, "arena": 1.0}, evening(), [past])
    assert (found.proven_s, found.seconds) == (pytest.approx(3), pytest.approx(43))


def test_what_nobody_measured_is_said_to_be_assumed():
    assert outlook({"answers": 1000.0, "sft": 10.0}, evening(), []).basis == "assumed: answers, sft"


def test_a_training_s_start_is_no_part_of_its_rate():
    past = Evening("tue", {"sft": (100, 50)}, WHO, 0.0, 0.0, lead={"sft": 20.0})
    found = outlook({"sft": 300.0, "dpo": 30.0}, evening(), [past], trainings={"sft": 1, "dpo": 2})
    assert [round(one.seconds) for one in found.phases] == [150 + 20, 40 + 2 * 20]
    assert outlook({"sft": 300.0}, evening(), [past], trainings={"sft": 0.5}).seconds == pytest.approx(160)


def test_this_evening_s_start_of_a_training_counts_before_another_s():
    past = Evening("tue", {"sft": (10, 10)}, WHO, 0.0, 0.0, lead={"sft": 20.0, "dpo": 30.0})
    now = Evening("tonight", {"sft": (10, 10)}, WHO, 0.0, 0.0, lead={"sft": 60.0})
    assert outlook({"dpo": 0.001}, now, [past], trainings={"dpo": 1}).seconds == pytest.approx(60, abs=0.1)


def test_what_a_training_s_start_takes_is_not_guessed():
    past = evening("tue", sft=(100, 50))
    assert outlook({"sft": 100.0}, evening(), [past], trainings={"sft": 1}).seconds == pytest.approx(50)


def test_quick_servers_of_this_evening_say_nothing_of_the_student_s():
    engines = {"teachers": frozenset({"scripted"}), "student": frozenset({"vllm"})}
    took = {"questions": (10.0, 1.0), "validate": (10.0, 1.0)}
    starts = (Start("questions", engines["teachers"], 2.0), Start("validate", engines["student"], 90.0))
    past = Evening("tue", took, WHO, 46.0, 0.0, engines=engines, starts=starts)
    now = Evening("tonight", {"questions": (10.0, 1.0)}, WHO, 3.0, 0.0, engines=engines, starts=(starts[0],))
    assert outlook({"validate": 10.0}, now, [past]).seconds == pytest.approx(91)
    assert outlook({"pairs": 10.0, "validate": 10.0}, now, [past]).seconds == pytest.approx(2 * 91)
