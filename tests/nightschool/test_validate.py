"""Held-out questions of a file, and free text against their answers."""

from __future__ import annotations

from typing import Any

import pytest

from nightschool.prompts import Prompt
from nightschool.records import Question
from nightschool.splits import side_of
from nightschool.validate import ask, of_side, read_open, truth_of
from nightschool.values.kinds import Kind
from nightschool.wire import Choice, Reply, Sampling

PROMPT = Prompt(system=None, user="$question")
SAMPLING = Sampling(temperature=0, max_tokens=9)


def question(number: int, answer: str | None = "yes", **fields: Any) -> Question:
    return Question(
        id=f"q{number}", topic="t", question=f"Is number {number} even?", choices=(), truth=None, key=None,
        source="file", check="unchecked", answer=answer, **fields,
    )  # fmt: skip


def reply(text: str, finish: str = "stop") -> Reply:
    return Reply(
        id="q1@0", model="sft", seed=1, choices=(Choice(text=text, finish=finish),), tokens_in=3, tokens_out=4,
        latency_s=0.1, attempts=1,
    )  # fmt: skip


def side(text: str) -> str:
    return side_of(text, validation=0.2, test=0.3)


@pytest.mark.parametrize(
    ("text", "finish", "value", "right", "reason"),
    [
        ("It is odd.\nSo the answer is yes.", "stop", "yes", True, None),
        ("No.", "stop", "no", False, None),
        ("It is", "stop", None, False, "no_answer"),
        ("It is", "length", None, False, "truncated"),
        ("Yes. And then", "length", "yes", True, None),
    ],
)
def test_free_text_is_measured_by_its_value(
    text: str, finish: str, value: str | None, right: bool, reason: str | None
) -> None:
    found = read_open(reply(text, finish), question(1), 0, kind="yes_no", fallback="none", same=lambda a, b: False)
    assert (found.value, found.right, found.reason, found.truth) == (value, right, reason, "yes")


def test_only_mathematics_is_asked_of_who_knows_it() -> None:
    asked: list[tuple[str, str]] = []

    def same(truth: str, value: str) -> bool:
        asked.append((truth, value))
        return True

    half = question(1, answer=r"\frac{1}{2}")
    for text in (r"\boxed{\frac12}", r"\boxed{\frac{\sqrt{4}}{4}}"):
        assert read_open(reply(text), half, 0, kind="latex", fallback="none", same=same).right
    assert [value for _, value in asked] == [r"\frac{\sqrt{4}}{4}"]


@pytest.mark.parametrize(
    ("kind", "answer", "truth"), [("yes_no", "true", "yes"), ("integer", "#### 18", "18"), ("integer", "none", None)]
)
def test_a_question_is_measured_with_where_its_answer_has_a_value(kind: Kind, answer: str, truth: str | None) -> None:
    assert truth_of(question(1, answer=answer), kind) == truth


def test_a_side_has_all_its_questions_that_can_be_measured_with_and_no_other() -> None:
    asked = [question(number, answer=None if number % 10 == 0 else "yes") for number in range(200)]
    found = of_side(asked, "test", side, "yes_no", limit=None, seed=1)
    assert [one.id for one in found] == [one.id for one in asked if one.answer and side(one.question) == "test"]
    few = of_side(asked, "test", side, "yes_no", limit=9, seed=1)
    assert len(few) == 9
    assert {one.id for one in few} <= {one.id for one in found}
    assert few == of_side(asked, "test", side, "yes_no", limit=9, seed=1)


def test_free_text_is_asked_without_a_schema_and_under_a_seed_of_its_own() -> None:
    one, other = (ask(question(1), seed, prompt=PROMPT, sampling=SAMPLING, letters=False) for seed in (0, 1))
    assert (one.id, one.json_schema, one.messages[0].content) == ("q1@0", None, "Is number 1 even?")
    assert one.seed != other.seed
