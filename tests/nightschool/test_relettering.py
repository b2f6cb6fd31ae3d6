"""Choices in another order: letters that name choices move, and what can't be told is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.records import LETTERS, Ruling
from nightschool.relettering import relettered, rewritten
from tests.nightschool.choosing import ruling

MOVED = dict(zip(LETTERS, "BCDA", strict=False))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Option B is right.", "Option C is right."),
        ("(C) fits, [d] does not", "(D) fits, [a] does not"),
        ("answer: D", "answer: A"),
        ("The answer is A because x", "The answer is B because x"),
        ("The answers are A and B.", "The answers are B and C."),
        ("options A, B, and D fall away; **C** stays", "options B, C, and A fall away; **D** stays"),
        ("B) no\nA. yes\nc) maybe", "C) no\nB. yes\nd) maybe"),
        (r"so \boxed{D}", r"so \boxed{A}"),
        ("choice b holds", "choice c holds"),
        ("A dog is a mammal", "A dog is a mammal"),
        ("row Leo Dan Ivy so Ivy", "row Leo Dan Ivy so Ivy"),
        ("Option B is right, since A is not", None),
        ("vitamin C", None),
        ("b = 3", None),
        ("option a is right", None),
        ("A is taller than B", None),
    ],
)
def test_letters_that_name_choices_are_rewritten_or_the_text_is_refused(text: str, expected: str | None) -> None:
    assert rewritten(text, MOVED) == expected


@given(st.integers(0, 10_000), st.sampled_from("ABCD"))
def test_the_right_choice_stays_the_right_one(number: int, letter: str) -> None:
    before = ruling(number, letter, reasoning=f"Option {letter} fits, so the answer is ({letter}).")
    after = relettered(before, seed=5)
    assert isinstance(after, Ruling)
    assert after.mended.letters is not None
    assert sorted(after.mended.letters) == list("ABCD")
    assert after.answer is not None
    assert after.question.choices[LETTERS.index(after.answer)] == before.question.choices[LETTERS.index(letter)]
    assert after.question.truth == after.question.key == after.vote == after.votes["ann"] == after.answer
    assert after.reasoning == f"Option {after.answer} fits, so the answer is ({after.answer})."
    assert relettered(before, seed=5) == after


def test_questions_of_other_sizes_have_letters_of_their_own() -> None:
    moved = dict(zip("ABCDE", "BCDEA", strict=True))
    assert rewritten("Not (D), so the answer is E.", moved) == "Not (E), so the answer is A."
    assert rewritten("Vitamin E is one thing, (B) another", moved) is None
    assert rewritten("Vitamin E is one thing, (B) another", MOVED) == "Vitamin E is one thing, (C) another"
    row = ruling(1, "B", reasoning="(B) fits.")
    row = row.model_copy(update={"question": row.question.model_copy(update={"choices": ("one", "two")})})
    seen = {after.mended.letters for seed in range(9) if isinstance(after := relettered(row, seed=seed), Ruling)}
    assert seen == {"AB", "BA"}


@pytest.mark.parametrize("choice", ["All of the above", "Both A and C", "None of the above"])
def test_choices_that_speak_of_their_place_stay(choice: str) -> None:
    row = ruling(1, "A")
    question = row.question.model_copy(update={"choices": ("one", "two", "three", choice)})
    assert relettered(row.model_copy(update={"question": question}), seed=1) == "choices_in_order"


def test_a_question_that_has_letters_of_its_own_makes_every_mention_doubtful() -> None:
    named = ruling(1, "A", text="B sits left of C. Who is first?", reasoning="(B) is first")
    assert relettered(named, seed=1) == "names_letters"
    assert isinstance(relettered(named.model_copy(update={"reasoning": "the first is known"}), seed=1), Ruling)
