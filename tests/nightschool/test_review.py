"""The review's rule: who is asked first, what may be decided, and what it makes of a row."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.errors import RecipeError
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.review import (
    REJECTED,
    WAITS,
    canonical,
    content_of,
    deadline,
    flaw,
    in_force,
    in_order,
    ruled,
)
from tests.nightschool.review_cases import case, decision, free, question, ruling

EAST = timezone(timedelta(hours=5))


@pytest.mark.parametrize(
    ("mode", "clock", "expected"),
    [
        ("wait", "2026-01-02T22:00", None),
        ("skip", "2026-01-02T22:00", "2026-01-02T22:00"),
        ("until 06:30", "2026-01-02T22:00", "2026-01-03T06:30"),
        ("until 06:30", "2026-01-03T06:29", "2026-01-03T06:30"),
        ("until 06:30", "2026-01-03T09:00", "2026-01-03T09:00"),
        ("until 23:30", "2026-01-03T00:10", "2026-01-03T00:10"),
        ("until 23:30", "2026-01-03T20:10", "2026-01-03T23:30"),
    ],
)
def test_the_night_waits_until_the_nearest_such_hour(mode: str, clock: str, expected: str | None) -> None:
    found = deadline(mode, datetime.fromisoformat(clock).replace(tzinfo=EAST))
    assert found == (datetime.fromisoformat(expected).replace(tzinfo=EAST) if expected else None)


@pytest.mark.parametrize("mode", ["wait", "skip", "until 06:30", "until 23:59"])
def test_the_recipe_says_it_in_a_word(mode: str) -> None:
    recipe = load_recipe(find_recipe("smoke"), sets=[f"review={mode}", "committee.to_review=[tie]"])
    assert recipe.review
    assert recipe.review.mode == mode


@pytest.mark.parametrize("mode", ["until 24:00", "until", "until 6:30", "never"])
def test_what_it_cannot_say_is_refused_with_what_it_can(mode: str) -> None:
    with pytest.raises(RecipeError, match=r"review.*wait, skip, until HH:MM"):
        load_recipe(find_recipe("smoke"), sets=[f"review={mode}"])


def test_a_review_of_nothing_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"review: nothing goes to a person.*committee.to_review"):
        load_recipe(find_recipe("smoke"), sets=["review=wait"])


def test_most_split_first_and_every_topic_in_turn() -> None:
    rows = [
        ruling(question(f"{topic}{place}", topic)).model_copy(update={"entropy": place / 10})
        for topic in ("series", "seating")
        for place in range(3)
    ]
    assert [row.id for row in in_order(rows)] == ["seating2", "series2", "seating1", "series1", "seating0", "series0"]


@given(st.permutations(range(12)), st.integers(0, 11))
def test_a_rows_place_among_its_topic_does_not_depend_on_who_else_waits(order: list[int], gone: int) -> None:
    rows = [ruling(question(f"q{n}", "series" if n % 2 else "seating")) for n in range(12)]
    whole = [row.id for row in in_order(rows)]
    assert [row.id for row in in_order(rows[n] for n in order)] == whole
    fewer = [row for row in in_order(row for row in rows if row.id != f"q{gone}")]
    for topic in ("series", "seating"):
        kept = [row.id for row in in_order(rows) if row.question.topic == topic and row.id != f"q{gone}"]
        assert [row.id for row in fewer if row.question.topic == topic] == kept


def test_content_is_the_question_and_its_choices_and_nothing_else() -> None:
    asked = question()
    same = asked.model_copy(update={"id": "other", "topic": "seating", "question": " What comes  after q1?"})
    assert content_of(same) == content_of(asked)
    assert content_of(asked.model_copy(update={"choices": ("2", "1", "3", "4")})) != content_of(asked)
    assert content_of(asked.model_copy(update={"question": "What comes after q2?"})) != content_of(asked)


def test_the_last_word_counts_and_a_withdrawn_one_was_never_said() -> None:
    one, two = ruling(), ruling(question("q2"))
    said = [decision(one), decision(two), decision(one, "reject"), decision(two, "withdraw")]
    assert {word.content: word.action for word in in_force(said).values()} == {content_of(one.question): "reject"}
    assert in_force([*said, decision(two, answer="C")])[content_of(two.question)].answer == "C"


def test_a_decision_makes_a_ruling() -> None:
    row = ruling()
    assert (ruled(row, {}).verdict, ruled(row, {}).reason) == ("review", WAITS)
    accepted = ruled(row, in_force([decision(row)]))
    assert (accepted.verdict, accepted.answer, accepted.reasoning, accepted.by, accepted.who, accepted.reason) == (
        "accept", "B", "because", "person", "ada", None,
    )  # fmt: skip
    rejected = ruled(row, in_force([decision(row, "reject")]))
    assert (rejected.verdict, rejected.answer, rejected.reason, rejected.by) == ("reject", None, REJECTED, "person")


def test_what_leads_can_be_accepted_and_a_tie_has_no_leader() -> None:
    assert case(alba="A", bruno="A", clara="B").leading == "A"
    assert case(alba="A", bruno="B").leading is None
    assert case(alba=None, bruno="C").leading == "C"
    assert case(alba=None, bruno=None).leading is None


@pytest.mark.parametrize(
    ("answer", "reasoning", "expected"),
    [
        ("B", "so it is", None),
        ("E", "so it is", "answer: 'E' is not one of A, B, C, D"),
        ("", "so it is", "answer: 'nothing' is not one of"),
        ("C", " \n", "reasoning: no teacher argues for C"),
    ],
)
def test_a_letter_needs_a_choice_and_a_reasoning(answer: str, reasoning: str, expected: str | None) -> None:
    found = flaw(case(), answer, reasoning)
    assert found is None if expected is None else (found or "").startswith(expected)


def test_a_free_solution_must_come_to_the_answer_that_is_taught() -> None:
    row = free("integer", alba=("4", "It is \\boxed{4}."), bruno=("5", "It is \\boxed{5}."))
    assert flaw(row, "4", "It is \\boxed{4}.") is None
    assert flaw(row, "1024", "So it is \\boxed{1,024}.") is None
    assert flaw(row, "6", "It is \\boxed{4}.") == "reasoning: it comes to '4', not to 6; edit it too"
    assert flaw(row, "six", "It is \\boxed{4}.") == "answer: 'six' is not a whole number"
    assert canonical(row, " 1,024 ") == "1024"
    assert canonical(free("yes_no", alba=("yes", "Yes.")), " No. ") == "no"
    assert canonical(case(), " b ") == "B"
    assert canonical(case(), "e") is None
