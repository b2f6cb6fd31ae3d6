"""The wire format: what a request may say, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from blocks.embedded.protocol import BadRequest, ChatRequest, models_body, refuse_unserved

_TURN = {"role": "user", "content": "hi"}


def _request(**fields: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": [_TURN], **fields})


def test_unknown_fields_are_ignored_as_vllm_does() -> None:
    assert _request(guided_choice=["a"], user="me").model == "m"


def test_stop_is_one_string_or_several() -> None:
    assert _request(stop="x").stop == ["x"]
    assert _request(stop=["x", "y"]).stop == ["x", "y"]
    assert _request(stop=None).stop == []


def test_text_parts_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert _request(messages=[{"role": "user", "content": parts}]).messages[0].content == "ab"


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
        {"n": 0},
        {"temperature": -0.1},
        {"top_p": 0},
        {"top_p": 1.1},
        {"max_tokens": 0},
        {"seed": 2**64},
        {"response_format": {"type": "xml"}},
    ],
)
def test_out_of_range_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _request(**fields)


def test_a_schema_is_read_from_the_response_format() -> None:
    schema = {"type": "integer"}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    wanted = _request(response_format=form).response_format
    assert wanted is not None
    assert wanted.schema_dict() == schema
    plain = _request(response_format={"type": "text"}).response_format
    assert plain is not None
    assert plain.schema_dict() is None
    missing = _request(response_format={"type": "json_schema"}).response_format
    assert missing is not None
    with pytest.raises(BadRequest, match="json_schema"):
        missing.schema_dict()


@pytest.mark.parametrize("field", [{"stream": True, "n": 2}, {"logprobs": True}, {"top_k": 5}, {"presence_penalty": 1}])
def test_what_would_change_the_reply_is_not_ignored(field: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=next(iter(field))):
        refuse_unserved(field)
    refuse_unserved({"stream": True, "logprobs": False, "top_k": -1, "presence_penalty": 0.0})


def test_adapters_name_their_base() -> None:
    cards = models_body(["base", "sft"], "somewhere", 512)["data"]
    assert [(card["id"], card["parent"]) for card in cards] == [("base", None), ("sft", "base")]
