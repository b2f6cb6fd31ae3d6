"""The embedded server as a process, over HTTP, with a model of random weights."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from blocks.connection import Answer
from blocks.streamed import stream
from nightschool.timing import hear
from nightschool.wire import Endpoint
from tests.integration.embedded_process import KEY, await_healthy, call, server
from tests.integration.random_qwen2 import make, make_adapter

pytestmark = pytest.mark.integration
SCHEMAS: list[dict[str, Any]] = [
    {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string", "maxLength": 30},
            "answer": {"type": "string", "enum": ["A", "B", "C", "D"]},
        },
        "required": ["reasoning", "answer"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "properties": {
            "plan": {"type": "string", "maxLength": 12},
            "choices": {"type": "array", "items": {"type": "string", "maxLength": 6}, "minItems": 3, "maxItems": 3},
            "level": {"type": "integer", "minimum": 1, "maximum": 9},
        },
        "required": ["plan", "choices", "level"],
        "additionalProperties": False,
    },
    {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 4},
    {"const": "all of it is forced"},
]


def _ask(port: int, content: str = "Row of 4. Who is second?", **fields: Any) -> dict[str, Any]:
    body = {"model": "base", "messages": [{"role": "user", "content": content}], "max_tokens": 20, **fields}
    status, reply, _ = call(port, "POST", "/v1/chat/completions", body)
    assert status == 200, reply
    return reply


def _texts(reply: dict[str, Any]) -> list[str]:
    return [choice["message"]["content"] for choice in reply["choices"]]


def _form(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "form", "schema": schema}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("embedded") / "base", hidden=64, layers=2)


@pytest.fixture(scope="module")
def adapter(folder: Path) -> Path:
    return make_adapter(folder, folder.parent / "sft")


@pytest.fixture(scope="module")
def port(folder: Path, adapter: Path) -> Iterator[int]:
    flags = ["--model", str(folder), "--name", "base", "--adapter", f"sft={adapter}"]
    with server(*flags, "--max-batch", "16", "--max-queue", "256") as (port, process):
        assert 503 in await_healthy(port, process), "it listens before the model is loaded"
        yield port


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize(("temperature", "top_p"), [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, 0.9)])
def test_the_schema_holds_even_for_random_weights(
    port: int, schema: dict[str, Any], temperature: float, top_p: float
) -> None:
    wanted = {"temperature": temperature, "top_p": top_p, "n": 6, "max_tokens": 200, "seed": 5}
    reply = _ask(port, response_format=_form(schema), **wanted)
    for text, choice in zip(_texts(reply), reply["choices"], strict=True):
        assert choice["finish_reason"] == "stop"
        jsonschema.validate(json.loads(text), schema)
        assert text == json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii="\\u" in text), "white space"


def test_a_cut_reply_is_the_start_of_the_json(port: int) -> None:
    for limit in range(1, 6):
        reply = _ask(port, response_format=_form({"const": "all of it is forced"}), max_tokens=limit)
        assert reply["choices"][0]["finish_reason"] == "length"
        assert '"all of it is forced"'.startswith(_texts(reply)[0])
        assert reply["usage"]["completion_tokens"] == limit


def test_a_seed_gives_the_same_replies_alone_and_in_a_crowd(port: int) -> None:
    wanted = {"seed": 11, "temperature": 1.0, "n": 2, "response_format": _form(SCHEMAS[0]), "max_tokens": 100}
    alone = _texts(_ask(port, **wanted))
    with ThreadPoolExecutor(24) as pool:
        crowd = [pool.submit(_ask, port, f"{'Bob is right of Ivy. ' * (i % 7)}{i}", seed=i) for i in range(24)]
        again = [pool.submit(_ask, port, **wanted) for _ in range(4)]
        assert [_texts(reply.result()) for reply in again] == [alone] * 4
        assert len({_texts(reply.result())[0] for reply in crowd}) == 24
    assert alone != _texts(_ask(port, **{**wanted, "seed": 12}))


def test_tokenize_tells_the_prompt_of_a_chat_request(port: int) -> None:
    body = {"model": "base", "messages": [{"role": "user", "content": "Row of 4. Who is second?"}]}
    status, told, _ = call(port, "POST", "/tokenize", body | {"return_token_strs": True})
    assert status == 200, told
    assert told["count"] == len(told["tokens"]) == len(told["token_strs"]) == _ask(port)["usage"]["prompt_tokens"]
    assert call(port, "POST", "/tokenize", body | {"model": "none"})[0] == 404
    assert call(port, "POST", "/tokenize", {"model": "base"})[0] == 400


def test_n_samples_differ_and_are_counted(port: int) -> None:
    reply = _ask(port, n=5, seed=1)
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2, 3, 4]
    assert len(set(_texts(reply))) == 5
    usage = reply["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert 0 < usage["completion_tokens"] <= 100


def test_a_stop_string_ends_the_text_before_it(port: int) -> None:
    text = _texts(_ask(port, seed=3, max_tokens=60))[0]
    stop = text[5:8]
    reply = _ask(port, seed=3, max_tokens=60, stop=[stop, "\0never"])
    assert _texts(reply)[0] == text[: text.index(stop)]
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert reply["usage"]["completion_tokens"] < 60


def test_models_lists_base_and_adapter(port: int) -> None:
    status, body, _ = call(port, "GET", "/v1/models")
    assert (status, [card["id"] for card in body["data"]]) == (200, ["base", "sft"])
    assert body["data"][0]["max_model_len"] == 512


def test_the_adapter_answers_otherwise_than_its_base(port: int) -> None:
    assert _texts(_ask(port, model="sft", temperature=0)) != _texts(_ask(port, temperature=0))


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({"model": "nobody"}, 404, "nobody"),
        ({"max_tokens": 512}, 400, "maximum context length"),
        ({"max_tokens": "many"}, 400, "max_tokens"),
        ({"messages": [{"role": "user", "content": "a " * 600}]}, 400, "maximum context length"),
        ({"response_format": _form({"type": "nonsense"})}, 400, "nonsense"),
        ({"response_format": _form({"type": "string", "pattern": "("})}, 400, "schema"),
        ({"stream": True, "n": 2}, 400, "stream"),
    ],
)
def test_bad_input_is_answered_with_openais_error(port: int, fields: dict[str, Any], status: int, named: str) -> None:
    body = {"model": "base", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, **fields}
    given, reply, _ = call(port, "POST", "/v1/chat/completions", body)
    assert given == status
    assert named in reply["error"]["message"]
    assert reply["error"]["code"] == status


@pytest.mark.parametrize("fields", [{"seed": 5}, {"seed": 5, "response_format": _form(SCHEMAS[0]), "max_tokens": 60}])
def test_a_streamed_reply_is_the_same_reply_with_an_event_for_each_token(
    port: int, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    monkeypatch.setenv("EMBEDDED_KEY", KEY)
    body = {"model": "base", "messages": [{"role": "user", "content": "Row of 4."}], "max_tokens": 20, **fields}
    endpoint = Endpoint(model="base", urls=(f"http://127.0.0.1:{port}/v1",), key_env="EMBEDDED_KEY")
    found = stream(endpoint, [[orjson.dumps({**body, "stream": True})] * 2]).replies
    whole = _ask(port, "Row of 4.", **fields)
    for one in found:
        assert isinstance(one.answer, Answer)
        heard = hear(one.answer.body, one.answer.arrived, one.sent)
        events = [orjson.loads(line[6:]) for line in one.answer.body.split(b"\n") if line.startswith(b"data: {")]
        assert "".join(event["choices"][0]["delta"]["content"] for event in events[:-1]) == _texts(whole)[0]
        assert events[-2]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
        assert events[-1]["usage"] == whole["usage"]
        assert heard.ttft_s is not None
        assert heard.ttft_s > 0
        assert heard.ttft_s + sum(heard.itl_s) == pytest.approx(heard.e2el_s)
        assert 1 < len(heard.itl_s) + 1 <= heard.tokens_out == whole["usage"]["completion_tokens"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_that_is_no_request_is_a_400(port: int, body: bytes) -> None:
    assert call(port, "POST", "/v1/chat/completions", body)[0] == 400


def test_no_key_no_answer(port: int) -> None:
    assert call(port, "GET", "/v1/models", key="wrong")[0] == 401
    assert call(port, "GET", "/health", key="wrong")[0] == 200
    assert call(port, "GET", "/nowhere")[0] == 404


def test_rows_of_a_client_that_left_make_room(port: int) -> None:
    """256 rows of 480 tokens fill the queue for minutes of work; when their client hangs up, the next is answered."""
    body = {"model": "base", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 480, "n": 256}
    raw = json.dumps({**body, "response_format": _form({"type": "string", "minLength": 4000})}).encode()
    lines = ["POST /v1/chat/completions HTTP/1.1", "Host: x", f"Authorization: Bearer {KEY}"]
    head = "\r\n".join([*lines, f"Content-Length: {len(raw)}", "", ""]).encode()
    small = {**body, "n": 200, "max_tokens": 1}
    with socket.create_connection(("127.0.0.1", port)) as leaver:
        leaver.sendall(head + raw)
        deadline = time.monotonic() + 120
        status, headers = 200, {}
        while status == 200:
            assert time.monotonic() < deadline
            status, _, headers = call(port, "POST", "/v1/chat/completions", small)
        assert (status, headers["Retry-After"]) == (503, "1")
    left = time.monotonic()
    while status != 200:
        assert time.monotonic() < left + 40
        status, _, _ = call(port, "POST", "/v1/chat/completions", small)
