"""The pool: what the solver lets through, lettering without favour, topping up."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightschool import school
from nightschool.pool import choose
from nightschool.records import Written

TOPICS = ("syllogisms", "seating", "blood_relations", "series")


def written(topic: str, number: int, *, seed: int = 1, **changes: object) -> Written:
    puzzle = school.generate(topic, number + 1, seed=seed)[number]
    row = Written(
        id=f"alba-{topic}-{number}", topic=topic, teacher="alba", plan=puzzle.plan, question=puzzle.question,
        right=puzzle.right, distractors=puzzle.distractors,
    )  # fmt: skip
    return row.model_copy(update=changes)


WRITTEN = [written("series", number) for number in range(12)]


def chosen(rows: list[Written], per_topic: int = 8, *, top_up: bool = False):
    return choose(rows, topics=TOPICS, per_topic=per_topic, top_up=top_up, levels=(1,), seed=0)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_good_question_is_asked_with_the_solvers_truth(topic: str) -> None:
    row = written(topic, 0)
    (question,) = chosen([row]).questions
    assert question.check == "ok"
    assert question.truth == question.key
    assert school.same(question.choices["ABCD".index(str(question.key))], row.right)
    assert sorted(question.choices) == sorted([row.right, *row.distractors])


def test_a_wrong_key_is_asked_but_marked_and_the_truth_is_the_solvers() -> None:
    row = written("series", 0)
    swapped = row.model_copy(update={"right": row.distractors[0], "distractors": (row.right, *row.distractors[1:])})
    (question,) = chosen([swapped]).questions
    assert question.check == "wrong_key"
    assert question.truth is not None
    assert question.truth != question.key
    assert school.same(question.choices["ABCD".index(question.truth)], row.right)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"question": "What is the colour of the sky?"}, "malformed"), ({"distractors": ("x", "x", "y")}, "malformed")],
)
def test_what_cannot_be_read_is_dropped_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    pooled = chosen([written("seating", 0, **changes)])
    assert pooled.questions == []
    assert [row.reason for row in pooled.dropped] == [reason]
    assert pooled.checks == {"alba": {reason: 1}}


def test_the_same_question_twice_is_a_duplicate() -> None:
    row = written("series", 0)
    pooled = chosen([row, row.model_copy(update={"id": "alba-again", "question": row.question.upper()})])
    assert len(pooled.questions) == 1
    assert [row.reason for row in pooled.dropped] == ["duplicate"]


def test_a_held_out_question_never_gets_in() -> None:
    puzzle = school.generate("series", 1, seed=0, held_out=True)[0]
    row = written("series", 0, question=puzzle.question, right=puzzle.right, distractors=puzzle.distractors)
    pooled = chosen([row], top_up=True)
    assert [row.reason for row in pooled.dropped] == ["held_out"]
    assert not any(school.held_out(question.question) for question in pooled.questions)


def test_the_generator_fills_every_topics_quota_and_letters_are_even() -> None:
    pooled = chosen([written("series", number) for number in range(3)], per_topic=12, top_up=True)
    assert Counter(question.topic for question in pooled.questions) == dict.fromkeys(TOPICS, 12)
    letters = Counter((question.topic, question.key) for question in pooled.questions if question.topic != "series")
    assert set(letters.values()) == {3}
    nearly = Counter(question.key for question in pooled.questions if question.topic == "series")
    assert set(nearly.values()) <= {2, 3, 4}
    assert len({question.id for question in pooled.questions}) == 48


@settings(max_examples=25)
@given(st.sets(st.integers(0, 11), min_size=1, max_size=11), st.integers(0, 11))
def test_a_question_that_comes_late_changes_and_moves_none_that_was_asked(first: set[int], late: int) -> None:
    before, after = (
        chosen([WRITTEN[number] for number in sorted(numbers)], per_topic=12, top_up=True).questions
        for numbers in (first, first | {late})
    )
    common = {question.id for question in before} & {question.id for question in after}
    assert [one for one in before if one.id in common] == [one for one in after if one.id in common]
    assert len(common) >= len(before) - 1


def test_more_than_the_quota_is_dropped() -> None:
    pooled = chosen([written("series", number) for number in range(6)], per_topic=4)
    assert len(pooled.questions) == 4
    assert [row.reason for row in pooled.dropped] == ["over_quota"] * 2


def test_without_the_solver_a_question_that_it_cannot_read_is_asked() -> None:
    free = written("seating", 0, question="Six friends sit at a round table. Who faces Ann?")
    pooled = choose([free], topics=TOPICS, per_topic=4, top_up=False, levels=(1,), seed=0, solver=False)
    assert [(row.question, row.truth) for row in pooled.questions] == [(free.question, None)]
    short = free.model_copy(update={"distractors": ("x", "X ", "y")})
    pooled = choose([short], topics=TOPICS, per_topic=4, top_up=False, levels=(1,), seed=0, solver=False)
    assert [row.reason for row in pooled.dropped] == ["malformed"]
