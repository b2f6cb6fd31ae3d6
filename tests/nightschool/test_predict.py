"""What an ensemble is asked, what is read out of its replies, and what becomes of answers that don't fit."""

from __future__ import annotations

import pytest

from nightschool import committee
from nightschool.committee import Terms
from nightschool.predict import Predicted, Sampled, ask, case_of, read, shown
from nightschool.prompts import Prompt
from nightschool.recipe.predict import Example
from nightschool.records import Question
from nightschool.submission import Submitted, as_csv, in_order, submitted
from nightschool.submission import Terms as Handing
from nightschool.voting import Rule
from nightschool.wire import Choice, Reply, Sampling

PROBLEM = Question(
    id="q", topic="", question="What is 2 + 2?", choices=(), truth=None, key=None, source="file", check="unchecked"
)
EXAMPLES = [
    Example(problem="What is 1 + 1?", solution="$\\boxed{2}$."),
    Example(problem="What is  2 + 2?", solution="4"),
]


def reply(*texts: str, finish: str = "stop") -> Reply:
    choices = tuple(Choice(text=text, finish=finish, confidence=0.5) for text in texts)
    return Reply(id="q", model="m", seed=0, choices=choices, tokens_in=1, tokens_out=1, latency_s=1.0, attempts=1)


def row(checked: dict[str, bool] | None = None, **votes: str | None) -> Predicted:
    heard = {name: (Sampled(value=value),) for name, value in votes.items()}
    return Predicted(id="q", question="", category="algebra", heard=heard, checked=checked or {})


def handed_in(one: Predicted, unsure: str = "best", **terms: object) -> tuple[str, str, str | None]:
    case = case_of(one)
    counting = Terms(Rule("majority"), **{"quorum": 1, "min_agreement": 0.6, **terms})  # pyright: ignore[reportArgumentType]
    ruling, _ = committee.rule(case, counting)
    votes = committee.ballots(case.said, counting, case.names)
    handing = Handing(unsure, "0")  # pyright: ignore[reportArgumentType]
    found = submitted("id", ruling, votes, handing, case.names)
    return found.answer, found.by, found.reason


def test_a_problem_is_no_example_of_itself() -> None:
    prompt = Prompt(system=None, user="$category\n$examples\n$question")
    sampling = Sampling(temperature=0, max_tokens=9)
    made = ask(PROBLEM, row_id="r", prompt=prompt, category="algebra", examples=EXAMPLES, sampling=sampling, seed=0)
    text = made.messages[0].content
    assert text == "algebra\nProblem: What is 1 + 1?\nSolution: $\\boxed{2}$.\nWhat is 2 + 2?"
    assert shown((), "x") == ""


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("It is \\boxed{99999}.", "99999", None),
        ("It is \\boxed{27.0}.", "27", None),
        ("It is \\boxed{336^\\circ}.", "336", None),
        ("It is \\boxed{-1}.", None, "out_of_range"),
        ("It is \\boxed{100000}.", None, "out_of_range"),
        ("It is \\boxed{\\frac{9}{7}}.", None, "not_an_integer"),
        ("I do not know.", None, "no_answer"),
    ],
)
def test_an_answer_out_of_range_is_none_and_is_never_clipped(text: str, value: str | None, reason: str | None) -> None:
    (found,) = read(reply(text), kind="integer", fallback="none", bounds=(0, 99999), stated=False)
    assert (found.value, found.reason) == (value, reason)


def test_a_reply_that_was_cut_off_says_nothing_and_confidence_comes_from_where_it_is_asked_for() -> None:
    (cut,) = read(reply("\\boxed{4}", finish="length"), kind="integer", fallback="none", bounds=None, stated=False)
    assert (cut.value, cut.reason) == (None, "truncated")
    said = read(reply("\\boxed{4}\nConfidence: 90%"), kind="integer", fallback="none", bounds=None, stated=True)
    assert [one.sure for one in said] == [0.9]
    assert read(reply("\\boxed{4}"), kind="integer", fallback="none", bounds=None, stated=False)[0].sure == 0.5


def test_votes_decide_and_what_they_leave_open_is_a_guess_or_the_stand_in() -> None:
    assert handed_in(row(a="4", b="4", c="5")) == ("4", "votes", None)
    assert handed_in(row(a="4", b="5")) == ("4", "guess", "tie")
    assert handed_in(row(a="4", b="5"), unsure="stand_in") == ("0", "stand_in", "tie")
    assert handed_in(row(a="4"), quorum=2) == ("4", "guess", "no_quorum")
    assert handed_in(row(a="4", b="4", c="5"), min_agreement=0.9) == ("4", "guess", "low_agreement")
    assert handed_in(row(a=None, b=None)) == ("0", "stand_in", "no_quorum")
    assert handed_in(row()) == ("0", "stand_in", "no_quorum")


def test_an_answer_that_does_not_fit_has_no_vote_and_one_that_alone_fits_outranks_them() -> None:
    assert handed_in(row({"4": False}, a="4", b="4", c="5")) == ("5", "votes", None)
    assert handed_in(row({"4": False, "5": True}, a="4", b="4", c="5")) == ("5", "check", None)
    # Both roots fit: the votes decide.
    assert handed_in(row({"4": True, "5": True}, a="4", b="4", c="5")) == ("4", "votes", None)
    assert handed_in(row({"4": False}, a="4", b="4")) == ("0", "stand_in", "no_quorum")


def test_a_submission_has_the_samples_order_and_columns() -> None:
    rows = [Submitted(id=name, answer=answer, value=answer, by="votes") for name, answer in (("b", "2"), ("a,1", "1"))]
    ordered = in_order(rows, ["a,1", "b"])
    assert as_csv(ordered, ["id", "answer"]) == b'id,answer\n"a,1",1\nb,2\n'
    assert as_csv(ordered, ["answer", "id"]) == b'answer,id\n1,"a,1"\n2,b\n'
