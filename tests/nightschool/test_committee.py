"""The committee's rule: verdicts, what outranks votes, who is asked to look, and what may never change a ruling."""

from __future__ import annotations

import random
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool import committee
from nightschool.hearing import Case, Heard, Known, Said, hear, known
from nightschool.recipe.committee import Committee, terms_of
from nightschool.records import Answer, Cast, CheckStatus, Letter, Question
from nightschool.reliability import Coins
from nightschool.ruling_line import RulingLine
from nightschool.values.latex import same
from nightschool.voting import Strategy, named

TEACHERS = ("alba", "bruno", "clara")
NAMES = ("alba", "bruno", "clara", "dora", "emil")
LEARNED = Coins(dict(zip(NAMES, (0.9, 0.6, 0.7, 0.55, 0.8), strict=True)), rivals=3)


def question(truth: Letter | None = "A", check: CheckStatus = "ok") -> Question:
    return Question(
        id="q1", topic="series", question="Next?", choices=("1", "2", "3", "4"), truth=truth, key="A",
        source="alba", check=check,
    )  # fmt: skip


def answer(teacher: str, *letters: Letter | None) -> Answer:
    casts = tuple(Cast(letter=letter, reasoning=f"{teacher} says {letter}") for letter in letters)
    return Answer(id="q1", teacher=teacher, casts=casts)


def rule(said: Said, terms: committee.Terms, **more: Any) -> RulingLine:
    """The ruling with the text that is taught."""
    found, way = committee.rule(Case("q1", said, **more), terms)
    found.written = msgspec.Raw(msgspec.json.encode(way or ""))
    return found


def ruled(asked: Question, *answers: Answer, solver: bool = True, **section: Any) -> RulingLine:
    said = hear(asked, {one.teacher: one for one in answers}, TEACHERS)
    return rule(said, terms_of(Committee(**section), quorum=2, seed=0), known=known(asked, solver=solver))


def voted(*votes: Any, **section: Any) -> RulingLine:
    answers = [answer(teacher, vote) for teacher, vote in zip(TEACHERS, votes, strict=False)]
    return ruled(question(), *answers, solver=False, **section)


@pytest.mark.parametrize(
    ("votes", "letter", "reason"),
    [
        ("AAB", "A", None), ("AB-", None, "tie"), ("A--", None, "no_quorum"), ("---", None, "no_quorum"),
        ("AA-", "A", None), ("ABC", None, "tie"),
    ],
)  # fmt: skip
def test_majority_with_quorum(votes: str, letter: str | None, reason: str | None) -> None:
    found = voted(*(None if vote == "-" else vote for vote in votes))
    assert (found.answer, found.vote, found.reason) == (letter, letter, reason)
    assert found.verdict == ("accept" if letter else "reject")


def test_what_votes_leave_open_goes_to_a_person_if_asked() -> None:
    assert voted("A", "A", "B", min_agreement=0.7).verdict == "reject"
    found = voted("A", "A", "B", min_agreement=0.7, to_review=["low_agreement"])
    assert (found.verdict, found.answer, found.reason) == ("review", None, "low_agreement")
    assert voted("A", "B", "C", to_review=["low_agreement"]).verdict == "reject"
    near = {"to_review": ["tie"], "reject_below": 0.4}
    assert (voted("A", "B", None, **near).verdict, voted("A", "B", "C", **near).verdict) == ("review", "reject")
    assert voted("A", "B", "C", ties="first", min_agreement=0.3).answer == "A"


def test_a_teacher_whose_samples_do_not_agree_enough_abstains() -> None:
    answers = [answer("alba", "A", "A", "B"), answer("bruno", "A", "A", "A"), answer("clara", "B", "B", "B")]
    assert ruled(question(), *answers, solver=False).answer == "A"
    found = ruled(question(), *answers, solver=False, consensus=0.7)
    assert (found.votes["alba"], found.reason) == (None, "tie")


def test_every_sample_may_have_a_vote() -> None:
    answers = [answer("alba", "A", "A", "A", "A"), answer("bruno", "B", "B", None, None), answer("clara", "B")]
    assert ruled(question(), *answers, solver=False).answer == "B"
    found = ruled(question(), *answers, solver=False, voters="samples", min_agreement=0.5)
    assert (found.answer, found.agreement, found.votes["bruno"]) == ("A", 4 / 7, "B")


def test_an_answer_that_is_not_sure_enough_is_none() -> None:
    answers = [answer("alba", "A", "A", "B"), answer("bruno", "A", "A", "C")]
    assert ruled(question(), *answers, solver=False).confidence == pytest.approx(2 / 3)
    found = ruled(question(), *answers, solver=False, min_confidence=0.7)
    assert (found.answer, found.reason) == (None, "low_confidence")


def sure(**teachers: tuple[str, float | None]) -> dict[str, Heard]:
    return {name: Heard([value], [None], [share], ["so"]) for name, (value, share) in teachers.items()}


@pytest.mark.parametrize("voters", ["teachers", "samples"])
def test_a_vote_without_the_confidence_that_was_asked_for_weighs_nothing(voters: Any) -> None:
    said = sure(alba=("1", 0.9), bruno=("2", None), clara=("2", 0.6))

    def found(confidence: Any) -> RulingLine:
        section = Committee(strategy="confidence_weighted", confidence=confidence, voters=voters, min_agreement=0.3)
        return rule(said, terms_of(section, quorum=2, seed=0))

    assert found("votes").answer == "2"
    assert (found("stated").answer, found("logprobs").confidence) == ("1", 0.9)


def test_marks_say_how_often_the_teachers_were_right() -> None:
    found = ruled(question("A"), answer("alba", "A", "A", "B", None), answer("bruno", "A", "A"))
    assert (found.judged, found.right) == ({"alba": 4, "bruno": 2}, {"alba": 2, "bruno": 2})
    assert (found.results, found.agreed) == ({"alba": "mixed", "bruno": "all_right"}, "mixed")
    assert (found.pass_rate, found.vote_right) == (4 / 6, True)
    assert ruled(question(None, "malformed"), answer("alba", "A")).pass_rate is None


def test_a_question_that_the_votes_get_wrong_may_be_left_out() -> None:
    answers = [answer("alba", "B"), answer("bruno", "B"), answer("clara", "A")]
    found = ruled(question("A"), *answers)
    assert (found.answer, found.vote, found.vote_right, found.reason) == ("A", "B", False, None)
    found = ruled(question("A"), *answers, minority="reject")
    assert (found.answer, found.reason, found.verdict) == (None, "against_truth", "reject")
    found = ruled(question("A"), answer("alba", "B"), answer("bruno", "B"), to_review=["against_truth"])
    assert (found.verdict, found.reason) == ("review", "against_truth")


def test_what_was_drawn_already_is_taught_if_it_led_to_the_answer() -> None:
    terms = terms_of(Committee(), quorum=2, seed=0)
    said = {name: Heard([value], [None], [None]) for name, value in zip("abc", ("7", "7", "8"), strict=True)}
    ways = {drawn: committee.rule(Case("q1", said, drawn=drawn), terms)[1] for drawn in (("a", 0), ("b", 0), ("c", 0))}
    assert (ways["a", 0], ways["b", 0]) == (("a", 0), ("b", 0))
    assert ways["c", 0] in (("a", 0), ("b", 0))


def spelled(said: Said) -> dict[str, str]:
    return named([value for each in said.values() for value in each.values if value], same)


def solved(*values: tuple[str, bool | None]) -> dict[str, Heard]:
    return {
        name: Heard([value], [right], [None], [f"so {value}"])
        for name, (value, right) in zip("abc", values, strict=False)
    }


def test_a_value_is_taught_by_a_solution_that_leads_to_it() -> None:
    terms = terms_of(Committee(), quorum=2, seed=0)
    said = solved(("1/2", None), ("0.5", None), ("3", None))
    found = rule(said, terms, names=spelled(said))
    assert (found.answer, found.agreement) == ("0.5", 2 / 3)
    assert found.reasoning in ("so 1/2", "so 0.5")
    said = solved(("3", False), ("3", False), ("1/2", True))
    found = rule(said, terms, known=Known("truth", "\\frac12"), names=spelled(said))
    assert (found.answer, found.by, found.reasoning, found.vote_right) == ("\\frac12", "truth", "so 1/2", False)


def silent(*values: str | None) -> Heard:
    return Heard(values, [None] * len(values), [None] * len(values), [value or "" for value in values])


votes = st.lists(st.lists(st.sampled_from(["1", "1/2", "0.5", "2", None]), max_size=3), min_size=1, max_size=5)
sections = st.builds(
    Committee,
    strategy=st.sampled_from(get_args(Strategy)),
    ties=st.sampled_from(["none", "first"]),
    min_agreement=st.sampled_from([0.3, 0.6, 1.0]),
)


@given(votes, sections, st.randoms())
def test_the_order_of_teachers_decides_nothing(given_: list[list[str | None]], section: Committee, rng: random.Random):
    said = {name: silent(*values) for name, values in zip(NAMES, given_, strict=False)}
    shuffled = dict(rng.sample(list(said.items()), len(said)))
    terms = terms_of(section, quorum=2, seed=0, reliability=LEARNED)
    assert rule(shuffled, terms, names=spelled(said)) == rule(said, terms, names=spelled(said))


@given(st.integers(2, 4), sections, st.integers(0, 3))
def test_a_duplicate_teacher_never_turns_a_unanimous_verdict(teachers: int, section: Committee, who: int) -> None:
    said = {name: silent("7") for name in NAMES[:teachers]}
    terms = terms_of(section, quorum=2, seed=0, reliability=LEARNED)
    before = rule(said, terms)
    after = rule({**said, "twin": said[list(said)[who % teachers]]}, terms)
    assert (before.verdict, before.answer) == ("accept", "7")
    assert (after.verdict, after.answer, after.agreement) == (before.verdict, before.answer, before.agreement)


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
