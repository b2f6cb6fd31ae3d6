"""The committee's rule, as a table and by its properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.committee import decide, rule, vote_of
from nightschool.records import Answer, Cast, CheckStatus, Letter, Question

LETTER = st.sampled_from(["A", "B", "C", "D"])
VOTES = st.lists(st.one_of(st.none(), LETTER), min_size=1, max_size=9)


def question(truth: Letter | None = "A", check: CheckStatus = "ok") -> Question:
    return Question(
        id="q1", topic="series", question="Next?", choices=("1", "2", "3", "4"), truth=truth, key="A",
        source="alba", check=check,
    )  # fmt: skip


def answer(teacher: str, *letters: Letter | None) -> Answer:
    casts = tuple(Cast(letter=letter, reasoning=f"{teacher} says {letter}") for letter in letters)
    return Answer(id="q1", teacher=teacher, casts=casts)


@pytest.mark.parametrize(
    ("votes", "letter", "reason"),
    [
        (["A", "A", "B"], "A", None),
        (["A", "B", None], None, "tie"),
        (["A", None, None], None, "no_quorum"),
        ([None, None, None], None, "no_quorum"),
        (["A", "A", None], "A", None),
        (["A", "A", "B", "C"], None, "low_agreement"),
        (["A", "B", "C"], None, "tie"),
    ],
)
def test_majority_with_quorum(votes: list[Letter | None], letter: Letter | None, reason: str | None) -> None:
    verdict = decide(votes, quorum=2, min_agreement=0.6)
    assert (verdict.letter, verdict.reason) == (letter, reason)


@given(votes=VOTES, data=st.data())
def test_the_order_of_teachers_decides_nothing(votes: list[Letter | None], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(votes))
    assert decide(votes, quorum=2, min_agreement=0.6) == decide(shuffled, quorum=2, min_agreement=0.6)


@given(letter=LETTER, teachers=st.integers(2, 8))
def test_a_teacher_counted_twice_never_turns_a_unanimous_verdict(letter: Letter, teachers: int) -> None:
    assert decide([*(letter for _ in range(teachers + 1))], quorum=2, min_agreement=0.6).letter == letter


@pytest.mark.parametrize(
    ("letters", "vote"), [(["A", "A", "B"], "A"), (["A", "B"], None), ([None, "C"], "C"), ([None], None), ([], None)]
)
def test_a_teachers_samples_make_one_vote(letters: list[Letter | None], vote: Letter | None) -> None:
    assert vote_of([Cast(letter=letter) for letter in letters]) == vote


def ruled(asked: Question, *answers: Answer, solver: bool = True):
    said = {one.teacher: one for one in answers}
    return rule(asked, said, teachers=["alba", "bruno", "clara"], quorum=2, min_agreement=0.6, solver=solver, seed=0)


def test_the_solver_outranks_the_vote_and_a_right_teacher_lends_the_reasoning() -> None:
    found = ruled(question("A"), answer("alba", "B"), answer("bruno", "B"), answer("clara", "A"))
    assert (found.answer, found.by, found.vote, found.reasoning) == ("A", "solver", "B", "clara says A")


def test_without_the_solver_the_majority_stands() -> None:
    found = ruled(question("A"), answer("alba", "B"), answer("bruno", "B"), answer("clara", "A"), solver=False)
    assert (found.answer, found.by) == ("B", "votes")
    assert found.reasoning in {"alba says B", "bruno says B"}


def test_nobody_right_means_nothing_to_teach() -> None:
    found = ruled(question("A"), answer("alba", "B"), answer("bruno", "C"))
    assert (found.answer, found.reason, found.reasoning) == (None, "no_right_answer", "")


@pytest.mark.parametrize(("truth", "check"), [(None, "unsolvable"), ("B", "wrong_key"), (None, "wrong_key")])
def test_what_the_solver_rejected_is_never_accepted(truth: Letter | None, check: CheckStatus) -> None:
    found = ruled(question(truth, check), answer("alba", "B"), answer("bruno", "B"), answer("clara", "B"))
    assert (found.answer, found.reason, found.vote) == (None, check, "B")


def test_a_teacher_that_said_nothing_abstains() -> None:
    found = ruled(question("A"), answer("alba", "A"), answer("bruno", "A"))
    assert found.votes == {"alba": "A", "bruno": "A", "clara": None}
    assert found.agreement == 1.0
