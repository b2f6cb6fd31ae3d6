"""Gates between the rounds of a loop: which go on, which end it, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool import rounds
from nightschool.recipe.learning import Rounds
from nightschool.records import Measured
from nightschool.report.rounds import Round, rounds_table
from nightschool.rounds import Gate


def answers(right: Sequence[bool], seed: int = 0) -> list[Measured]:
    return [
        Measured(id=f"q{n}@{seed}", question=f"q{n}", topic="t", seed=seed, truth="A", value="A" if fine else "B",
                 right=fine, reason=None, latency_s=0.1, tokens_out=1, text="")
        for n, fine in enumerate(right)
    ]  # fmt: skip


def share(right: int, of: int = 100) -> list[Measured]:
    return answers([n < right for n in range(of)])


@pytest.mark.parametrize(
    ("loop", "before", "after", "passed"),
    [
        (Rounds(most=3), 50, 50, True),
        (Rounds(most=3), 50, 49, False),
        (Rounds(most=3, at_least=0.05), 50, 54, False),
        (Rounds(most=3, at_least=-0.05), 50, 46, True),
        (Rounds(most=3, by="interval", at_least=0.001), 50, 51, False),  # one of a hundred is no proof
        (Rounds(most=3, by="interval"), 50, 70, True),
    ],
)
def test_a_round_goes_on_if_it_gained_what_is_wanted(loop: Rounds, before: int, after: int, passed: bool) -> None:
    found = rounds.gate(2, share(after), share(before), loop)
    assert found.passed == passed
    assert found.gain is not None
    assert found.gain.value == pytest.approx((after - before) / 100)
    assert found.accuracy is not None
    assert found.accuracy.value == pytest.approx(after / 100)


def test_the_start_always_begins_and_what_was_not_measured_never_goes_on() -> None:
    assert rounds.gate(0, share(0), [], Rounds(most=2)).passed
    assert not rounds.gate(1, [], share(50), Rounds(most=2)).passed
    assert not rounds.gate(1, answers([True] * 5, seed=1), answers([False] * 5, seed=0), Rounds(most=2)).passed


def test_only_questions_that_both_answered_are_compared() -> None:
    before = answers([False, True, True])
    assert not rounds.gate(1, answers([False, False]), before, Rounds(most=1)).passed
    assert rounds.gate(1, answers([False, True]), before, Rounds(most=1)).passed, "the third was not asked again"


def gates(*passed: bool) -> list[Gate]:
    return [Gate(number, None, None, fine) for number, fine in enumerate(passed)]


@given(st.lists(st.booleans(), max_size=6), st.integers(1, 6))
def test_a_loop_ends_at_the_first_gate_that_fails_and_keeps_what_was_before_it(passed: list[bool], most: int) -> None:
    found = gates(True, *passed[:most])
    course = rounds.course(found, most, without_pairs=None)
    first = next((gate.number for gate in found if not gate.passed), None)
    if first is None:
        assert (course.last, course.kept, course.ended) == (most, len(found) - 1, None)
    else:
        assert (course.last, course.kept, course.ended) == (first, first - 1, "gate")
        assert course.gates[-1].number == first


def test_a_loop_without_a_wrong_draft_left_keeps_its_last_round() -> None:
    course = rounds.course(gates(True, True), 4, without_pairs=2)
    assert (course.last, course.kept, course.ended) == (1, 1, "no_pairs")


def test_the_table_says_what_each_round_gained() -> None:
    start, after = share(40), share(70)
    found = [
        Round(loop="dpo", stage="sft", pairs=None, accuracy=rounds.gate(0, start, [], Rounds(most=1)).accuracy,
              gain=None, fate="start"),
        Round(loop="dpo", stage="dpo-1", pairs=1234, accuracy=rounds.gate(1, after, start, Rounds(most=1)).accuracy,
              gain=rounds.gate(1, after, start, Rounds(most=1)).gain, fate="kept"),
    ]  # fmt: skip
    head, [first, second] = rounds_table(found)
    assert len(head) == len(first) == len(second)
    assert first[:2] == ["sft", ""]
    assert second[1] == "1,234"
    assert (second[3], second[4][:5]) == ("100", "+30.0")
