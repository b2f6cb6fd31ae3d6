"""What is asked of a model and what comes back, free of any transport."""

from __future__ import annotations

import hashlib
from functools import cached_property

import orjson
from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """One turn of a conversation, as the OpenAI wire format has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    content: str


class Sampling(BaseModel):
    """How a reply is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float
    top_p: float = 1.0
    max_tokens: int
    samples: int = 1
    stop: tuple[str, ...] = ()
    logprobs: bool = False


class Ask(BaseModel):
    """One request: a row's question to one model, `sampling.samples` replies wanted.

    `sample` is the one of the row's samples that is wanted, None = all of them; `again` counts how often an unusable
    reply was asked anew (`nightschool.retake`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int
    json_schema: dict[str, object] | None = None
    sample: int | None = None
    again: int = 0

    @cached_property
    def prompt_key(self) -> str:
        """Identity of the rendered prompt and its schema: what a model is given besides sampling and seed."""
        digest = hashlib.blake2b(digest_size=8)
        for message in self.messages:
            digest.update(f"{message.role}\x1f{message.content}\x1e".encode("utf-8", "surrogatepass"))
        if self.json_schema is not None:
            digest.update(orjson.dumps(self.json_schema, option=orjson.OPT_SORT_KEYS))
        return digest.hexdigest()


class Choice(BaseModel):
    """One sampled reply. `finish` is the server's finish_reason; `reasoning` is kept apart from the text.

    `confidence`: the geometric mean of its tokens' probabilities, in [0, 1], where logprobs were asked for and given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    finish: str
    reasoning: str | None = None
    confidence: float | None = None


class Reply(BaseModel):
    """What came back for one Ask: a line of the chunk's journal. Times in seconds.

    It says what it answers: the prompt by its key, seed, sampling, sample and `again` as in its Ask.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    model: str
    seed: int
    choices: tuple[Choice, ...]
    tokens_in: int
    tokens_out: int
    latency_s: float
    attempts: int
    prompt: str = ""
    sampling: Sampling | None = None
    sample: int | None = None
    again: int = 0

    def answers(self, ask: Ask) -> bool:
        """Whether this is a reply to that very ask, put to whichever model."""
        return (self.id, self.sample, self.again, self.seed, self.prompt, self.sampling) == (
            ask.id, ask.sample, ask.again, ask.seed, ask.prompt_key, ask.sampling,
        )  # fmt: skip


class Endpoint(BaseModel):
    """Where a model is served: plain data that a task can carry; the key is a variable's name, never its value.

    `urls` are bases as OpenAI has them: they end in /v1. `concurrency` is how many requests are in flight per URL, up
    to `most_concurrency` if that is more and brings more replies a second; limits are over all URLs. Prices are per
    million tokens, `budget` is the most that may be spent, in the same money; what was is on file in `account`.
    `retries_per_row` bounds the retries of a chunk, on average.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    urls: tuple[str, ...]
    key_env: str | None = None
    concurrency: int = 32
    most_concurrency: int = 0
    timeout_s: float = 120.0
    attempts: int = 5
    retries_per_row: float = 3.0
    max_model_len: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    budget: float | None = None
    account: str = ""
