"""From an Ask to the body of a chat request, and from the body that comes back to its choices."""

from __future__ import annotations

import math
from typing import Any

import orjson

from nightschool.parsing import split_reasoning
from nightschool.wire import Ask, Choice


class BrokenReply(ValueError):
    """A body that is not the chat format: the world's failure, so it may be asked again."""


def request_body(ask: Ask, model: str, *, stream: bool = False) -> bytes:
    """The JSON of one `/chat/completions` request; the samples of a question travel in one request."""
    sampling = ask.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in ask.messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "n": sampling.samples,
        "seed": ask.seed,
        "stream": stream,
    }
    if stream:
        body["stream_options"] = {"include_usage": True}
    if sampling.stop:
        body["stop"] = sampling.stop
    if sampling.logprobs:
        body["logprobs"] = True
    if ask.json_schema is not None:
        schema = {"name": "record", "schema": ask.json_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return orjson.dumps(body)


def read_body(body: bytes) -> tuple[tuple[Choice, ...], int, int, int]:
    """Choices, tokens in, tokens out, tokens in from the server's prefix cache (0 where the server counts none).

    Raises:
        BrokenReply: not JSON, or without a single choice.
    """
    try:
        record: Any = orjson.loads(body)
        choices = tuple(_choice(choice) for choice in record["choices"])
        usage = record.get("usage") or {}
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
        tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0), int(cached or 0)
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise BrokenReply(f"not a chat reply ({type(err).__name__}: {err})") from None
    if not choices:
        raise BrokenReply("a reply without choices")
    return choices, *tokens


def read_error(body: bytes) -> str:
    """The server's own message: the OpenAI error format, FastAPI's `detail`, or the start of the text."""
    try:
        record: Any = orjson.loads(body)
    except ValueError:
        return body[:500].decode("utf-8", "replace").strip()
    if isinstance(record, dict):
        error = record.get("error", record.get("detail", record.get("message", record)))
        record = error.get("message", error) if isinstance(error, dict) else error
    return str(record)[:500]


def read_models(status: int, body: bytes) -> tuple[str, ...]:
    """The names in a reply to `/models`.

    Raises:
        BrokenReply: another status, or another format.
    """
    if status != 200:
        raise BrokenReply(f"status {status}: {read_error(body)}")
    try:
        return tuple(str(model["id"]) for model in orjson.loads(body)["data"])
    except (ValueError, KeyError, TypeError) as err:
        raise BrokenReply(f"not a list of models ({type(err).__name__}: {err})") from None


def _choice(choice: dict[str, Any]) -> Choice:
    message = choice["message"]
    text = message.get("content") or ""
    if not isinstance(text, str):
        raise TypeError("content is not text")
    reasoning = message.get("reasoning") or message.get("reasoning_content")
    if reasoning is None:
        text, reasoning = split_reasoning(text)
    finish = str(choice.get("finish_reason") or "stop")
    return Choice(text=text, finish=finish, reasoning=reasoning, confidence=_confidence(choice.get("logprobs")))


def _confidence(logprobs: Any) -> float | None:
    """The geometric mean of the tokens' probabilities; None where the server gave none."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not content:
        return None
    mean = math.fsum(float(token["logprob"]) for token in content) / len(content)
    return math.exp(min(0.0, mean)) if math.isfinite(mean) else None
