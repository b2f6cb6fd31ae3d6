"""From a request's body to what a script heeds of it; read by hand, for that is done thousands of times a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_MOST_SAMPLES = 128


class NotARequest(ValueError):
    """The body is not what the API asks for."""


@dataclass(slots=True)
class Asked:
    """One request: the prompts that are to be continued (a chat has one, its last turn), each `samples` times."""

    model: str
    prompts: tuple[str, ...]
    system: str
    words: int
    samples: int
    seed: int
    schema: Mapping[str, Any] | None
    chat: bool
    logprobs: bool = False
    stream: bool = False


def read_asked(body: bytes, *, chat: bool) -> Asked:
    """Read a chat request, or one for plain completion.

    Raises:
        NotARequest: says what is wrong with it.
    """
    try:
        record: Any = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise NotARequest(f"not JSON: {err}") from None
    if not isinstance(record, dict) or not isinstance(model := record.get("model"), str):
        raise NotARequest("no model")
    samples, seed = record.get("n", 1), record.get("seed", 0)
    if not isinstance(samples, int) or not 1 <= samples <= _MOST_SAMPLES:
        raise NotARequest(f"n must be 1 to {_MOST_SAMPLES}")
    most = record.get("max_tokens", 1)
    if most is not None and (not isinstance(most, int) or most < 1):
        raise NotARequest("max_tokens must be at least 1")
    system, prompts, words = _turns(record) if chat else _prompts(record)
    seed = seed if isinstance(seed, int) else 0
    logged, stream = record.get("logprobs") is True, record.get("stream") is True
    if stream and (samples > 1 or not chat):
        raise NotARequest("only a chat's one sample is streamed")
    return Asked(model, prompts, system, words, samples, seed, _schema(record), chat, logged, stream)


def _turns(record: Mapping[str, Any]) -> tuple[str, tuple[str, ...], int]:
    messages = record.get("messages")
    if not isinstance(messages, list) or not messages:
        raise NotARequest("no messages")
    system, words, text = "", 0, ""
    for message in messages:
        text = _text(message.get("content")) if isinstance(message, dict) else None
        if text is None:
            raise NotARequest("a message without text")
        words += text.count(" ") + 1
        if message.get("role") == "system":
            system = text
    return system, (text,), words


def _text(content: Any) -> str | None:
    """A message's content, a string or a list of text parts."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in content]
    found = [text for text in texts if isinstance(text, str)]
    return "".join(found) if len(found) == len(texts) else None


def _prompts(record: Mapping[str, Any]) -> tuple[str, tuple[str, ...], int]:
    prompt = record.get("prompt")
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(prompts, list) or not prompts or not all(isinstance(one, str) for one in prompts):
        raise NotARequest("no prompt")
    return "", tuple(prompts), sum(one.count(" ") + 1 for one in prompts)


def _schema(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: Any = record.get("response_format")
    for name in ("json_schema", "schema"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None
