"""Prompts that give their answer away, on made-up rows and on real teachers' texts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.real_data import missing, rows
from nightschool.leaks import Asked, compare, given_away
from nightschool.values.kinds import Kind
from nightschool.values.read import read
from nightschool.wire import Message

QUESTIONS, GPT4 = "committee/strategyqa__questions_test.jsonl", "committee/strategyqa_gpt4_COT.jsonl"
GPT35 = "committee/strategyqa_gpt-3.5-turbo_COT.jsonl"
ASKS = "Is it so? Example: is snow white? The answer is yes.\nAnswer yes or no."


def turns(text: str) -> tuple[Message, ...]:
    return (Message(role="user", content=text),)


def later(answer: str, kind: Kind = "yes_no", text: str = ASKS, row: str = "q") -> Asked:
    return Asked(id=row, prompt=turns(text), answer=answer, kind=kind)


@pytest.mark.parametrize(
    ("kind", "answer", "added"),
    [
        ("yes_no", "no", "Based on this analysis, the answer is: **[NO]**"),
        ("yes_no", "yes", "Teacher: Yes, frost is common then."),
        ("yes_no", "no", "No."),
        ("letter", "B", 'Row Leo Dan Ivy.\n{"reasoning": "Dan is second", "answer":"B"}'),
        ("integer", "18", "She sells 9 eggs.\n#### 18"),
        ("latex", r"\frac{1}{2}", r"So it is \boxed{\dfrac12}."),
        ("text", "Paris", "The capital of France is paris"),
    ],
)
def test_a_prompt_that_states_its_answer_is_a_leak(kind: Kind, answer: str, added: str) -> None:
    assert given_away(turns(f"{ASKS}\n{added}"), later(answer, kind)) is not None


@pytest.mark.parametrize(
    ("kind", "answer", "text"),
    [
        ("yes_no", "yes", ASKS),
        ("yes_no", "no", f"{ASKS}\nThink of the density of a pear. It is less than that of water."),
        ("yes_no", "no", f"{ASKS}\nAnswer: Yes - common in winter"),
        ("yes_no", "no", f"{ASKS}\nNo doubt it takes thought."),
        ("letter", "A", f"{ASKS}\nA dog and a cat stand in a row."),
        ("integer", "18", f"{ASKS}\nThere are 18 eggs in all, and 9 are eaten."),
        ("text", "no", f"{ASKS}\nNothing is known."),
    ],
)
def test_what_leads_to_an_answer_or_stands_in_evaluation_too_is_no_leak(kind: Kind, answer: str, text: str) -> None:
    assert given_away(turns(text), later(answer, kind)) is None


def test_a_draft_that_evaluation_shows_as_well_is_no_leak() -> None:
    drafted = f"{ASKS}\nDraft: the answer is no."
    assert given_away(turns(f"{drafted}\nBegin."), later("no", text=drafted)) is None


def test_leaks_are_counted_and_the_first_are_told_with_their_lines() -> None:
    good, bad = turns(ASKS), turns(f"{ASKS}\nThe answer is no.")
    found = compare([("a", good), ("b", bad), ("c", turns("Other words."))], [later("no", row=row) for row in "abc"])
    assert (found.rows, found.others, [leak.id for leak in found.leaks]) == (3, ("b", "c"), ["b"])
    assert found.told.startswith(
        "1 of 3 prompts give their answer away, and what is asked later does not: row b (line 2)"
    )
    assert "'The answer is no.'" in found.told


def plan_002(file: str) -> Iterator[tuple[tuple[Message, ...], Asked]]:
    """Plan 002's phase B: question and teacher's reasoning in the prompt, rows kept where the teacher is right."""
    questions = {row["id"]: row for row in rows(QUESTIONS)}
    for row in rows(file):
        question = questions[row["id"]]
        truth = "yes" if question["answer"] else "no"
        if read(row["completion"], "yes_no").value == truth:
            asked = f"Question: {question['question']}\nAnswer:"
            prompt = f"Question: {question['question']}\n{row['completion']}\nAnswer:"
            yield turns(prompt), later(truth, text=asked, row=str(row["id"]))


@pytest.mark.skipif(bool(missing(QUESTIONS, GPT4, GPT35)), reason=missing(QUESTIONS, GPT4, GPT35) or "")
@pytest.mark.parametrize("file", [GPT4, GPT35])
def test_real_chains_of_thought_in_a_prompt_are_found_and_the_questions_alone_are_clean(
    file: str,
) -> None:
    pairs = list(plan_002(file))
    assert len(pairs) > 1000
    asked = [one for _, one in pairs]
    leaky = compare(((one.id, prompt) for prompt, one in pairs), asked)
    assert len(leaky.leaks) >= 0.99 * len(pairs)
    assert not compare(((one.id, one.prompt) for one in asked), asked).leaks
