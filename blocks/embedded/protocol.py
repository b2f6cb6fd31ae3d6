"""OpenAI's wire format, as vLLM answers it: requests checked, replies and errors built."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_NEUTRAL: dict[str, tuple[object, ...]] = {
    "logprobs": (None, False),
    "tools": (None, []),
    "top_k": (None, 0, -1),
    "min_p": (None, 0),
    "repetition_penalty": (None, 1),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "logit_bias": (None, {}),
}


class BadRequest(Exception):
    """A request that cannot be answered: an HTTP status with OpenAI's error object."""

    def __init__(self, message: str, *, status: int = 400, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param


def _joined(content: object) -> object:
    """Content in parts is joined when all are text; anything else is left for the type check to refuse."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    words = [text for text in texts if isinstance(text, str)]
    return "".join(words) if len(words) == len(content) else content


def _listed(stop: object) -> object:
    return [] if stop is None else [stop] if isinstance(stop, str) else stop


class Turn(BaseModel):
    """A message; only text can be served."""

    model_config = ConfigDict(extra="ignore")

    role: str
    content: Annotated[str, BeforeValidator(_joined)]


class Schema(BaseModel):
    """The schema of a response_format."""

    model_config = ConfigDict(extra="ignore")

    name: str = ""
    definition: dict[str, Any] = Field(alias="schema")


class ResponseFormat(BaseModel):
    """What shape the reply must have."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["text", "json_object", "json_schema"]
    json_schema: Schema | None = None

    def schema_dict(self) -> dict[str, Any] | None:
        """The JSON schema to hold to, if any.

        Raises:
            BadRequest: json_schema is wanted and missing.
        """
        if self.type == "json_object":
            return {"type": "object"}
        if self.type == "json_schema":
            if self.json_schema is None:
                raise BadRequest("response_format of type json_schema needs json_schema", param="response_format")
            return self.json_schema.definition
        return None


class ChatRequest(BaseModel):
    """The part of a chat completion request that is served; unknown fields are ignored, as vLLM does."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[Turn] = Field(min_length=1)
    n: int = Field(default=1, ge=1, le=1024)
    temperature: float = Field(default=1.0, ge=0, le=100)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: Annotated[list[str], BeforeValidator(_listed)] = Field(default_factory=list)
    response_format: ResponseFormat | None = None
    stream: bool | None = None


class TokenizeRequest(BaseModel):
    """What vLLM's /tokenize takes for a conversation, as far as it is served: the prompt of a chat request."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[Turn] = Field(min_length=1)
    return_token_strs: bool | None = False


def refuse_unserved(body: dict[str, Any]) -> None:
    """Refuse the fields that would change the reply and that this server does not honour.

    Raises:
        BadRequest: one of them is set to more than its neutral value.
    """
    for name, neutral in _NEUTRAL.items():
        if body.get(name) not in neutral:
            raise BadRequest(f"{name} is not served by the embedded engine; use engine vllm", param=name)
    if body.get("stream") and (body.get("n") not in (None, 1) or body.get("stop")):
        raise BadRequest("one sample without stop is streamed, and no more", param="stream")


def error_body(message: str, status: int, param: str | None = None) -> dict[str, Any]:
    """OpenAI's error object."""
    kinds = {
        401: "AuthenticationError",
        404: "NotFoundError",
        500: "InternalServerError",
        503: "ServiceUnavailableError",
    }
    kind = kinds.get(status, "BadRequestError")
    return {"error": {"message": message, "type": kind, "param": param, "code": status}}


def chat_body(model: str, replies: list[tuple[str, str]], tokens_in: int, tokens_out: int) -> dict[str, Any]:
    """A chat completion; `replies` are pairs of text and finish_reason."""
    choices = [
        {"index": index, "message": {"role": "assistant", "content": text}, "logprobs": None, "finish_reason": finish}
        for index, (text, finish) in enumerate(replies)
    ]
    return {**headed("chat.completion", model), "choices": choices, "usage": usage(tokens_in, tokens_out)}


def headed(kind: str, model: str) -> dict[str, Any]:
    """What every completion begins with."""
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": model}


def usage(tokens_in: int, tokens_out: int) -> dict[str, int]:
    """Tokens of a completion."""
    return {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}


def chunk_body(shared: dict[str, Any], delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    """An event of a streamed completion; `shared` is what all of its events say."""
    return {**shared, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


def models_body(names: list[str], root: str, context: int) -> dict[str, Any]:
    """The list of models; an adapter names the base as its parent."""
    base = names[0]
    cards = [
        {
            "id": name,
            "object": "model",
            "owned_by": "nightschool",
            "root": root,
            "parent": None if name == base else base,
            "max_model_len": context,
        }
        for name in names
    ]
    return {"object": "list", "data": cards}
