"""What a student is to write is read back as the answer that it teaches."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.leaks import Asked
from nightschool.teaching import right, stating, taught
from nightschool.values.kinds import Kind
from nightschool.values.read import equal, read
from nightschool.wire import Message

ANSWERS = st.one_of(
    st.tuples(st.just("yes_no"), st.sampled_from(["yes", "no"])),
    st.tuples(st.just("letter"), st.sampled_from("ABCDEFGHIJ")),
    st.tuples(st.just("integer"), st.integers(-(10**12), 10**12).map(str)),
    st.tuples(st.just("latex"), st.sampled_from([r"\frac{1}{2}", "x^2+1", "(3, 4]", r"\text{even}"])),
    st.tuples(st.just("text"), st.sampled_from(["Paris", "the third"])),
)


def says(text: str, answer: str, kind: Kind) -> bool:
    found = read(text, kind).value
    return found is not None and equal(answer, found, kind) is not False


@given(ANSWERS)
def test_a_bare_answer_is_read_back(case: tuple[Kind, str]) -> None:
    kind, answer = case
    assert says(stating(answer, kind), answer, kind)


@given(
    ANSWERS, st.sampled_from(["", "It floats.", "Yes, or so it seems. It is cold in May.", r"So \boxed{17}.", "A) is"])
)
def test_whatever_the_way_the_lesson_ends_in_its_answer(case: tuple[Kind, str], way: str) -> None:
    kind, answer = case
    told = taught(way, answer, kind, form="reasoning", letters=False)
    assert says(told, answer, kind)
    assert told.startswith(way) or "boxed" in way or kind == "text"


def test_the_answer_alone_has_nothing_of_the_way() -> None:
    assert taught("Frost is common in May.", "yes", "yes_no", form="answer", letters=False) == "Yes."


def test_a_solution_that_ends_in_its_answer_is_taught_as_it_is() -> None:
    told = "Yes, frost is common in May."
    assert taught(f"{told} ", "yes", "yes_no", form="reasoning", letters=False) == told


@pytest.mark.parametrize(("form", "reasoning"), [("reasoning", "so Dan"), ("answer", "")])
def test_a_night_of_letters_keeps_its_json(form: str, reasoning: str) -> None:
    told = taught("so Dan", "B", "letter", form=form, letters=True)  # pyright: ignore[reportArgumentType]
    assert json.loads(told) == {"reasoning": reasoning, "answer": "B"}


@pytest.mark.parametrize(
    ("kind", "answer", "text", "finish", "letters", "fine"),
    [
        ("letter", "B", '{"reasoning":"It is so.","answer":"B"}', "stop", True, True),
        ("letter", "B", '{"reasoning":"It is so.","answer":"C"}', "stop", True, False),
        ("letter", "B", '{"reasoning":"It is so.","ans', "length", True, False),
        ("yes_no", "yes", "It is.\nSo the answer is yes.", "stop", False, True),
        ("yes_no", "yes", "So the answer is no.", "stop", False, False),
        ("yes_no", "yes", "I cannot tell.", "stop", False, False),
        ("integer", "12", "The answer is 12.", "stop", False, True),
        ("integer", "12", "The answer is 12.", "length", False, False),
    ],
)
def test_a_reply_is_right_if_it_says_the_answer(
    kind: Kind, answer: str, text: str, finish: str, letters: bool, fine: bool
) -> None:
    asked = Asked(id="q", prompt=(Message(role="user", content="Is it?"),), answer=answer, kind=kind)
    assert right(asked, text, finish, letters=letters, fallback="none") is fine
