"""HTTP in front of a script: /v1/chat/completions, /v1/models, /health, /stats."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blocks.scripted import school
from blocks.scripted.faults import draw_reply, draw_wire, inflict, spoil
from blocks.scripted.script import Script
from blocks.scripted.tally import Tally
from nightschool.wire import Message

_MAX_BODY = 16 * 1024**2
DIED = 70


class _Schema(BaseModel):
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class _Format(BaseModel):
    json_schema: _Schema | None = None


class _Asked(BaseModel):
    """The part of a chat request that a script heeds."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=1)] = 4096
    n: Annotated[int, Field(ge=1, le=128)] = 1
    seed: int = 0
    response_format: _Format | None = None


class ScriptedServer:
    """Answers by the script; the same body gets the same reply, whenever it comes."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._tally = Tally()
        self._key = os.environ.get("NIGHTSCHOOL_API_KEY")

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_get("/health", self._health)
        app.router.add_get("/stats", self._stats)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(self._tally.report())

    async def _models(self, request: web.Request) -> web.Response:
        if refusal := self._refuse(request):
            return refusal
        return _json({"object": "list", "data": [{"id": name, "object": "model"} for name in self._script.models]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        tally = self._tally
        tally.in_flight += 1
        tally.most_in_flight = max(tally.most_in_flight, tally.in_flight)
        try:
            return self._refuse(request) or await self._serve(request)
        except (asyncio.CancelledError, ConnectionError):
            tally.aborted += 1
            raise
        finally:
            tally.in_flight -= 1

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            asked = _Asked.model_validate(orjson.loads(body))
        except (orjson.JSONDecodeError, ValidationError) as err:
            return _error(400, f"not a chat request: {err}")
        model = self._script.models.get(asked.model)
        if model is None:
            return _error(404, f"The model `{asked.model}` does not exist.")
        digest = hashlib.blake2b(body, digest_size=16).digest()
        before = self._tally.asked(digest, asked.model)
        if self._tally.total > (self._script.die_after or self._tally.total):
            os._exit(DIED)
        fault = draw_wire(self._script, digest.hex(), before)
        latency = model.latency_s
        delay_s = latency.mean + latency.jitter * random.Random(f"{digest.hex()}:latency").uniform(-1, 1)
        if delay_s > 0:
            await asyncio.sleep(delay_s)
        reply = orjson.dumps(self._reply(asked, digest.hex()))
        if fault is not None:
            self._tally.faults[fault] += 1
            return await inflict(request, fault, reply, self._script)
        response = web.Response(body=reply, content_type="application/json")
        await response.prepare(request)
        await response.write_eof()
        self._tally.answered(digest)
        return response

    def _reply(self, asked: _Asked, digest: str) -> dict[str, Any]:
        choices = []
        for sample in range(asked.n):
            fault = draw_reply(self._script, digest, sample)
            text, finish = spoil(self._text(asked, sample), fault)
            if fault is not None:
                self._tally.faults[fault] += 1
            message = {"role": "assistant", "content": text}
            choices.append({"index": sample, "message": message, "finish_reason": finish})
        tokens_in = sum(len(message.content.split()) for message in asked.messages)
        tokens_out = sum(len(choice["message"]["content"].split()) for choice in choices)
        usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        return {
            "id": f"chatcmpl-{digest}",
            "object": "chat.completion",
            "model": asked.model,
            "choices": choices,
            "usage": usage,
        }

    def _text(self, asked: _Asked, sample: int) -> str:
        prompt = asked.messages[-1].content
        if self._script.behaviour == "echo":
            return prompt
        named = asked.response_format.json_schema if asked.response_format else None
        rng = random.Random(f"{asked.seed}\x1f{asked.model}\x1f{sample}\x1f{prompt}")
        return school.reply(prompt, named.schema_ if named else None, self._script.models[asked.model], rng)

    def _refuse(self, request: web.Request) -> web.Response | None:
        if self._key and request.headers.get("Authorization") != f"Bearer {self._key}":
            return _error(401, "Unauthorized")
        return None


def _json(record: object) -> web.Response:
    return web.Response(body=orjson.dumps(record), content_type="application/json")


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)
