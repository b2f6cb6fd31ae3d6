"""From a checked request to a job: prompt, grammar, limits; and from tokens back to text."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError

from blocks.embedded.grammar import BadSchema, Grammar, Grammars
from blocks.embedded.job import Completion, Job
from blocks.embedded.loop import Loop
from blocks.embedded.models import Loaded
from blocks.embedded.protocol import (
    BadRequest,
    ChatRequest,
    TokenizeRequest,
    chat_body,
    chunk_body,
    headed,
    usage,
)
from nightschool.rendering import rendered
from nightschool.wire import Message

_PROMPTS_KEPT = 4096


class Engine:
    """The models of one process, behind an awaitable call. Lives on the event loop that made it."""

    def __init__(self, loaded: Loaded, *, slots: int, threads: int, queue_rows: int) -> None:
        self._tokenizer = loaded.tokenizer
        self._grammars = Grammars(loaded.tokenizer, loaded.vocab_size, loaded.stop_ids, threads)
        self._loop = Loop(loaded, self._grammars, slots)
        self._queue_rows = queue_rows
        self._tokens_of = lru_cache(_PROMPTS_KEPT)(self._encode)
        self.names = list(loaded.networks)
        self.context = loaded.context
        self.counters = self._loop.counters
        self._loop.start()

    async def chat(self, request: ChatRequest) -> dict[str, Any]:
        """Answer a request; when the caller is cancelled, so are its rows.

        Raises:
            BadRequest: unknown model (404), unusable input (400), full queue (503), a grammar that broke (500).
        """
        job, future = self._begin(request)
        try:
            outcome = _completions(await future)
        except asyncio.CancelledError:
            job.cancelled = True
            raise
        replies = [self._reply(completion, request.stop) for completion in outcome]
        return chat_body(request.model, replies, len(job.prompt), sum(completion.counted for completion in outcome))

    async def stream(self, request: ChatRequest) -> AsyncIterator[dict[str, Any]]:
        """Answer a request for one sample, an event for each token as it is written, and one with the usage.

        Raises:
            BadRequest: as `chat`, with the first event; later ones only where a grammar breaks.
        """
        loop, fresh = asyncio.get_running_loop(), asyncio.Queue[list[int] | None]()
        job, future = self._begin(request, lambda tokens: loop.call_soon_threadsafe(fresh.put_nowait, tokens) and None)
        future.add_done_callback(lambda _: fresh.put_nowait(None))
        shared, said = headed("chat.completion.chunk", request.model), ""
        delta = {"role": "assistant"}
        try:
            while tokens := await fresh.get():
                text = self._text(tokens).removesuffix("\N{REPLACEMENT CHARACTER}")  # half a character waits
                yield chunk_body(shared, {**delta, "content": text[len(said) :]})
                said, delta = max(said, text, key=len), {}
            (completion,) = _completions(future.result())
            text, finish = self._reply(completion, [])
            yield chunk_body(shared, {**delta, "content": text[len(said) :]}, finish)
            yield {**shared, "choices": [], "usage": usage(len(job.prompt), completion.counted)}
        finally:
            job.cancelled = job.cancelled or not future.done()

    def tokenize(self, request: TokenizeRequest) -> dict[str, Any]:
        """The prompt's tokens as `chat` would have them.

        Raises:
            BadRequest: unknown model (404), or a template that refuses the messages (400).
        """
        self._known(request.model)
        ids = list(self._tokens_of(tuple((turn.role, turn.content) for turn in request.messages)))
        pieces = self._tokenizer.convert_ids_to_tokens(ids) if request.return_token_strs else None
        return {"count": len(ids), "max_model_len": self.context, "tokens": ids, "token_strs": pieces}

    def _known(self, model: str) -> None:
        if model not in self.names:
            raise BadRequest(f"The model `{model}` does not exist.", status=404, param="model")

    def _begin(
        self, request: ChatRequest, wrote: Callable[[list[int]], None] | None = None
    ) -> tuple[Job, asyncio.Future[list[Completion] | str]]:
        job, future = self._job(request)
        job.wrote = wrote
        if self.counters.waiting + request.n > self._queue_rows:
            raise BadRequest("the queue is full, try again", status=503)
        self._loop.submit(job)
        return job, future

    def _job(self, request: ChatRequest) -> tuple[Job, asyncio.Future[list[Completion] | str]]:
        self._known(request.model)
        prompt = self._tokens_of(tuple((turn.role, turn.content) for turn in request.messages))
        future: asyncio.Future[list[Completion] | str] = asyncio.get_running_loop().create_future()
        job = Job(
            model=request.model,
            prompt=prompt,
            samples=request.n,
            temperature=request.temperature,
            top_p=request.top_p,
            max_tokens=self._limit(request, len(prompt)),
            seed=random.getrandbits(63) if request.seed is None else request.seed,
            grammar=self._grammar(request),
            stops=self._stops(request.stop),
            done=_thread_safe(future),
        )
        return job, future

    def _encode(self, turns: tuple[tuple[str, str], ...]) -> tuple[int, ...]:
        messages = [Message(role=role, content=content) for role, content in turns]
        try:
            return tuple(rendered(self._tokenizer, [messages], opened=True)[0])
        except (TemplateError, TypeError, ValueError) as err:
            raise BadRequest(f"the chat template refuses these messages: {err}", param="messages") from None

    def _limit(self, request: ChatRequest, tokens_in: int) -> int:
        wanted = request.max_completion_tokens or request.max_tokens or max(1, self.context - tokens_in)
        if tokens_in + wanted > self.context:
            raise BadRequest(
                f"This model's maximum context length is {self.context} tokens. However, you requested {wanted} output "
                f"tokens and your prompt contains {tokens_in} input tokens.",
                param="max_tokens",
            )
        return wanted

    def _grammar(self, request: ChatRequest) -> Grammar | None:
        schema = request.response_format.schema_dict() if request.response_format else None
        if schema is None:
            return None
        try:
            return self._grammars.compile(schema)
        except BadSchema as err:
            raise BadRequest(f"the JSON schema cannot be used: {err}", param="response_format") from None

    def _stops(self, stops: list[str]) -> Callable[[list[int]], bool] | None:
        if not stops:
            return None
        return lambda tokens: any(stop in self._text(tokens) for stop in stops)

    def _text(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _reply(self, completion: Completion, stops: list[str]) -> tuple[str, str]:
        text = self._text(completion.tokens)
        cuts = [text.index(stop) for stop in stops if stop in text]
        return (text[: min(cuts)], "stop") if cuts else (text, completion.finish)


def _completions(outcome: list[Completion] | str) -> list[Completion]:
    if isinstance(outcome, str):
        raise BadRequest(outcome, status=500)
    return outcome


def _thread_safe(future: asyncio.Future[list[Completion] | str]) -> Callable[[list[Completion] | str], None]:
    loop = future.get_loop()

    def settle(outcome: list[Completion] | str) -> None:
        if not future.done():
            future.set_result(outcome)

    return lambda outcome: loop.call_soon_threadsafe(settle, outcome) and None
