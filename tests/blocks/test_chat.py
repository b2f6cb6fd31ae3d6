"""The wire format: what a request says, and what is made of a body, whoever sent it."""

from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.chat import BrokenReply, read_body, read_error, request_body
from nightschool.wire import Ask, Choice, Message, Sampling


def test_a_request_says_everything_that_decides_the_reply() -> None:
    ask = Ask(
        id="q1",
        messages=(Message(role="system", content="s"), Message(role="user", content="ü")),
        sampling=Sampling(temperature=0.7, top_p=0.9, max_tokens=55, samples=3),
        seed=7,
        json_schema={"type": "object"},
    )
    assert json.loads(request_body(ask, "m")) == {
        "model": "m",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "ü"}],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 55,
        "n": 3,
        "seed": 7,
        "stream": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "record", "schema": {"type": "object"}, "strict": True},
        },
    }


def _body(*messages: dict[str, object], finish: str | None = "stop") -> bytes:
    return json.dumps({"choices": [{"message": message, "finish_reason": finish} for message in messages]}).encode()


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "hi"}, "hi", None),
        ({"content": None}, "", None),
        ({}, "", None),
        ({"content": "B", "reasoning": "hm"}, "B", "hm"),
        ({"content": "B", "reasoning_content": "hm"}, "B", "hm"),
        ({"content": "<think>hm</think>B", "reasoning": None}, "B", "hm"),
    ],
)
def test_text_and_reasoning(message: dict[str, object], text: str, reasoning: str | None) -> None:
    choices, tokens_in, tokens_out, _ = read_body(_body(message))
    assert choices == (Choice(text=text, finish="stop", reasoning=reasoning),)
    assert (tokens_in, tokens_out) == (0, 0)


def test_samples_usage_and_finish() -> None:
    body = json.loads(_body({"content": "a"}, {"content": "b"}, finish="length"))
    body["usage"] = {"prompt_tokens": 5, "completion_tokens": 6}
    choices, tokens_in, tokens_out, _ = read_body(json.dumps(body).encode())
    assert [(choice.text, choice.finish) for choice in choices] == [("a", "length"), ("b", "length")]
    assert (tokens_in, tokens_out) == (5, 6)


@pytest.mark.parametrize(
    ("logprobs", "confidence"),
    [
        ({"content": [{"logprob": -0.1}, {"logprob": -0.3}]}, math.exp(-0.2)),
        ({"content": [{"logprob": 0.0}]}, 1.0),
        ({"content": []}, None),
        (None, None),
    ],
)
def test_confidence_is_the_mean_of_the_logprobs(logprobs: object, confidence: float | None) -> None:
    body = {"choices": [{"message": {"content": "x"}, "logprobs": logprobs}]}
    (choice,), *_ = read_body(json.dumps(body).encode())
    assert choice.confidence == (None if confidence is None else pytest.approx(confidence))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"choices": []}', b'{"choices": null}', b'{"choices": [{}]}', b"<html>",
     b'{"choices": [{"message": {"content": 5}}]}', b'{"choices": [{"message": null}]}', b"\xff",
     b'{"choices": [{"message": {}}], "usage": {"prompt_tokens": "many"}}'],
)  # fmt: skip
def test_a_broken_body_is_the_worlds_failure(body: bytes) -> None:
    with pytest.raises(BrokenReply):
        read_body(body)


_NAMES = ["message", "content", "logprobs", "logprob"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "content", "logprobs", "logprob"]), inner)
    ),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_no_body_raises_anything_else(choices: object, usage: object) -> None:
    for body in ({"choices": choices, "usage": usage}, {"choices": [choices]}, choices):
        with contextlib.suppress(BrokenReply):
            read_body(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no such model", "code": 404}}', "no such model"),
        (b'{"error": "no"}', "no"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"message": "old style"}', "old style"),
        (b"gateway \xff", "gateway \ufffd"),
        (b"5", "5"),
    ],
)
def test_the_servers_own_message(body: bytes, said: str) -> None:
    assert read_error(body) == said
