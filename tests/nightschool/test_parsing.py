"""Reply text to record: what is accepted, what is rejected and why, and that nothing makes it raise or stall."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from nightschool.parsing import Rejected, parse_json, split_reasoning


class Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reasoning: str
    answer: str


WANTED = Reply(reasoning="so {it} is", answer="B")
PLAIN = '{"reasoning": "so {it} is", "answer": "B"}'


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"  \n{PLAIN}\n\n  ",
        f"```json\n{PLAIN}\n```",
        f"Sure! Here it is:\n{PLAIN}\nHope that helps {{really}}.",
        f"[{PLAIN}]",
        f"The set {{1, 2}} and \\frac{{1}}{{2}} lead to {PLAIN}",
        f'I was told {{"type": "object"}} and reply {PLAIN}',
        "{'reasoning': 'so {it} is', 'answer': 'B'}",
        "Well: {'reasoning': \"so {it} is\", 'answer': 'B'} that's it",
        PLAIN + PLAIN,
    ],
)
def test_accepts(text: str) -> None:
    assert parse_json(text, Reply) == WANTED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_json"),
        ("The answer is B.", "not_json"),
        ('{"reasoning": "cut o', "not_json"),
        ("{'reasoning': __import__('os').getcwd(), 'answer': 'B'}", "not_json"),
        ('{"reasoning": "x"}', "wrong_shape"),
        ('{"reasoning": "x", "answer": 5}', "wrong_shape"),
        ('{"reasoning": "x", "answer": "B", "more": 1}', "wrong_shape"),
        (f"[{PLAIN}, {PLAIN}]", "wrong_shape"),
        (f'{{"result": {PLAIN}}}', "wrong_shape"),
        ("x" * 20_001, "too_long"),
    ],
)
def test_rejects_with_a_reason(text: str, reason: str) -> None:
    found = parse_json(text, Reply)
    assert isinstance(found, Rejected)
    assert found.reason == reason


def test_a_text_that_was_cut_off_is_no_answer_even_when_it_parses() -> None:
    found = parse_json(PLAIN, Reply, finish="length")
    assert isinstance(found, Rejected)
    assert found.reason == "truncated"


def test_the_detail_names_the_field() -> None:
    found = parse_json('{"reasoning": "x", "answer": 5}', Reply)
    assert isinstance(found, Rejected)
    assert found.detail == "answer: Input should be a valid string"


def test_escaped_quotes_and_lone_surrogates() -> None:
    assert parse_json('{"reasoning": "a \\" } b", "answer": "B"}', Reply) == Reply(reasoning='a " } b', answer="B")
    assert isinstance(parse_json('{"reasoning": "\\ud800", "answer": "B"}', Reply), Rejected)


@given(st.text(max_size=500))
def test_never_raises_on_any_text(text: str) -> None:
    assert isinstance(parse_json(text, Reply), Reply | Rejected)


@given(st.text(alphabet="{}[]()'\"\\:,-+~1eE. \nab", max_size=400))
@settings(max_examples=500)
def test_never_raises_on_anything_like_json_or_python(text: str) -> None:
    parse_json(text, Reply)
    parse_json('{"a": ' + text, Reply)
    parse_json("{'a': " + text + "}", Reply)


@given(st.text(), st.text(), st.text(alphabet="abc \n.", max_size=30))
def test_finds_any_record_in_prose(reasoning: str, answer: str, prose: str) -> None:
    record = Reply(reasoning=reasoning, answer=answer)
    assert parse_json(f"{prose}{record.model_dump_json()}{prose}", Reply) == record
    assert parse_json(f"{prose}{record.model_dump()!r}{prose}", Reply) == record


_HOSTILE = [
    *("{", "}", "{}", "[", "[{", "[[{", '{"', "{'", "\\", "'", '"'),
    *('{"a":', "{'a':", '{"a":[', "{'a':'\\'", "{'a':-", "{'a':(", "{'a':1}", '{"a":1}'),
]


@pytest.mark.parametrize("unit", _HOSTILE)
def test_no_hostile_text_takes_long(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    best = min(_seconds(text) for _ in range(3))
    assert best < 0.05


def _seconds(text: str) -> float:
    start = time.thread_time()
    assert isinstance(parse_json(text, Reply, max_chars=200_000), Rejected)
    return time.thread_time() - start


@pytest.mark.parametrize(
    "text",
    [
        '{"reasoning": "so {it} is", "answer": "B"',
        '{"reasoning": "so {it} is" "answer": "B"}',
        '{reasoning: "so {it} is", answer: "B"}',
        'Sure:\n```json\n{"reasoning": "so {it} is", "answer": "B",}\n```',
    ],
)
def test_what_can_be_mended_is_where_that_is_wanted(text: str) -> None:
    assert parse_json(text, Reply, repair=True) == WANTED
    assert isinstance(parse_json(text, Reply), Rejected)


@pytest.mark.parametrize(
    ("text", "finish", "reason"),
    [
        ("The answer is B.", "stop", "not_json"),
        ('{"answer": "B"', "stop", "wrong_shape"),
        ('{"reasoning": "so {it} is", "answer": "B"', "length", "truncated"),
    ],
)
def test_repair_makes_nothing_up(text: str, finish: str, reason: str) -> None:
    found = parse_json(text, Reply, finish=finish, repair=True)
    assert isinstance(found, Rejected)
    assert found.reason == reason


_SCRAPS = st.sampled_from([*"{}[]\"':,\\`# \n", '"reasoning"', "answer", '"B"', "//", "/*", "1e9", "null"])


@settings(max_examples=400)
@given(st.one_of(st.text(max_size=300), st.lists(_SCRAPS, max_size=120).map("".join)))
def test_repair_of_anything_ends_in_a_record_or_a_reason(text: str) -> None:
    assert isinstance(parse_json("{" + text, Reply, repair=True), Reply | Rejected)


@pytest.mark.parametrize("unit", [*_HOSTILE, "{'", '{"' * 30 + "x" * 600, "(", "\\"])
def test_no_hostile_text_takes_long_to_repair(unit: str) -> None:
    text = ("{" + unit * 20_000)[:20_000]
    start = time.thread_time()
    assert isinstance(parse_json(text, Reply, repair=True), Rejected)
    assert time.thread_time() - start < 2


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("plain", "plain", None),
        ("<think>hm</think>B", "B", "hm"),
        ("\n<think>\nhm\n</think>\n\nB", "B", "hm"),
        ("hm, opened by the template</think>B", "B", "hm, opened by the template"),
        ("<think>never ends", "", "never ends"),
        ("<think></think>B", "B", None),
    ],
)
def test_reasoning_is_kept_apart(text: str, answer: str, reasoning: str | None) -> None:
    assert split_reasoning(text) == (answer, reasoning)
