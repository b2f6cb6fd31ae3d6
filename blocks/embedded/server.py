"""HTTP in front of the engine: listens at once, answers 503 until the models are loaded."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from blocks.embedded.protocol import (
    BadRequest,
    ChatRequest,
    TokenizeRequest,
    error_body,
    models_body,
    refuse_unserved,
)

if TYPE_CHECKING:
    from blocks.embedded.engine import Engine

_MAX_BODY = 16 * 1024**2
_LOG_EVERY_S = 5.0
T = TypeVar("T", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def say(line: str) -> None:
    """One line on stderr, at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json", headers=headers)


def _refusal(err: BadRequest) -> web.Response:
    headers = {"Retry-After": "1"} if err.status == 503 else None
    return _json(error_body(str(err), err.status, err.param), err.status, headers)


async def _read(request: web.Request, kind: type[T]) -> tuple[dict[str, Any], T]:
    """The body as it came, and checked.

    Raises:
        BadRequest: it is no JSON, or not of this kind.
    """
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as err:
        raise BadRequest(f"the body is not JSON: {err}") from None
    try:
        return body, kind.model_validate(body)
    except ValidationError as err:
        first = err.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise BadRequest(f"{field}: {first['msg']}", param=field) from None


async def _streamed(request: web.Request, events: AsyncIterator[dict[str, Any]]) -> web.StreamResponse:
    """Events as they come; what goes wrong before the first one is answered as ever."""
    first = await anext(events)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(_event(first))
    async for event in events:
        await response.write(_event(event))
    await response.write(b"data: [DONE]\n\n")
    return response


def _event(record: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(record)


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check the key, and turn every refusal into OpenAI's error object."""
    key = os.environ.get("NIGHTSCHOOL_API_KEY")
    given = request.headers.get("Authorization", "")
    if key and request.path != "/health" and not secrets.compare_digest(given.encode(), f"Bearer {key}".encode()):
        return _json(error_body("Unauthorized", 401), 401)
    try:
        return await handler(request)
    except BadRequest as err:
        return _refusal(err)
    except web.HTTPException as err:
        return _json(error_body(err.reason, err.status), err.status)


class Server:
    """The routes; `engine` is None until the models are loaded."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.engine: Engine | None = None

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=_MAX_BODY, middlewares=[_guard])
        app.router.add_get("/health", self.health)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_post("/tokenize", self.tokenize)
        return app

    def _ready(self) -> Engine:
        if self.engine is None:
            raise BadRequest("the model is being loaded, try again", status=503)
        return self.engine

    async def health(self, request: web.Request) -> web.Response:
        """200 when requests can be answered."""
        self._ready()
        return web.Response()

    async def models(self, request: web.Request) -> web.Response:
        """The base and its adapters."""
        engine = self._ready()
        return _json(models_body(engine.names, self._root, engine.context))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """One chat completion."""
        engine = self._ready()
        body, wanted = await _read(request, ChatRequest)
        refuse_unserved(body)
        return await _streamed(request, engine.stream(wanted)) if wanted.stream else _json(await engine.chat(wanted))

    async def tokenize(self, request: web.Request) -> web.Response:
        """The tokens of a chat request's prompt, under vLLM's path."""
        engine = self._ready()
        _, wanted = await _read(request, TokenizeRequest)
        return _json(engine.tokenize(wanted))

    async def log(self) -> None:
        """A line on stderr every five seconds in which something was done."""
        requests = tokens = 0
        then = time.monotonic()
        while True:
            await asyncio.sleep(_LOG_EVERY_S)
            if self.engine is None:
                continue
            counters, now = self.engine.counters, time.monotonic()
            if counters.tokens > tokens:
                rates = [(counters.requests - requests) / (now - then), (counters.tokens - tokens) / (now - then)]
                line = f"{rates[0]:.1f} req/s, {rates[1]:.0f} tokens/s"
                say(f"{line}, {counters.running} running, {counters.waiting} waiting")
            requests, tokens, then = counters.requests, counters.tokens, now
