"""A server in front of a script: /v1/chat/completions, /v1/completions, /v1/models, /health, /stats."""

from __future__ import annotations

import asyncio
import hashlib
import os
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from blocks.scripted.asked import Asked, NotARequest, read_asked
from blocks.scripted.connection import Connection, Request
from blocks.scripted.faults import draw_reply, draw_wire, drip, error, inflict, point_of, spoil
from blocks.scripted.streaming import stream
from blocks.scripted.tally import Tally
from blocks.scripted.texts import Texts, logprobs
from nightschool.errors import WorldError
from nightschool.recipe.script import Script, WireFault

DIED = 70
_BACKLOG = 1024


class ScriptedServer:
    """Answers by the script; the same body gets the same reply, whenever it comes.

    Raises:
        DataError, OSError: the script's right answers cannot be read.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._texts = Texts(script)
        self._tally = Tally.filed(Path(script.tally)) if script.tally else Tally()
        self._key = os.environ.get("NIGHTSCHOOL_API_KEY")
        self._connections: set[Connection] = set()
        self._since_start = 0
        self._faulty = bool(script.faults)

    async def listen(self, host: str, port: int) -> int:
        """Begin to answer, on a free port if it is 0; returns the port.

        Raises:
            WorldError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(lambda: Connection(self), host, port, backlog=_BACKLOG)
        except OSError as err:
            raise WorldError(f"cannot listen on {host}:{port}: {os.strerror(err.errno or 0)}") from None
        self._address: tuple[str, int] = self._listener.sockets[0].getsockname()[:2]
        return self._address[1]

    def close(self) -> None:
        """Refuse everybody from now on, and hang up on whoever is there."""
        self._listener.close()
        for connection in list(self._connections):
            connection.transport.abort()

    def opened(self, connection: Connection) -> None:
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._ended(connection)
        if connection.ticket is not None:
            self._tally.deserted(connection.ticket)

    def handle(self, connection: Connection, request: Request) -> None:
        match request.path:
            case b"/v1/chat/completions" | b"/v1/completions" if request.method == b"POST":
                if self._allowed(connection, request):
                    self._tally.begun()
                    connection.counted = True
                    self._complete(connection, request.body, chat=request.path == b"/v1/chat/completions")
            case b"/health":
                connection.reply(200, b"")
            case b"/stats":
                connection.reply(200, orjson.dumps(self._tally.report()))
            case b"/v1/models":
                if self._allowed(connection, request):
                    models = [{"id": name, "object": "model"} for name in self._script.models]
                    connection.reply(200, orjson.dumps({"object": "list", "data": models}))
            case _:
                connection.reply(404, error("there is nothing here"))

    def _allowed(self, connection: Connection, request: Request) -> bool:
        if self._key and request.header(b"authorization") != f"Bearer {self._key}".encode():
            connection.reply(401, error("Unauthorized"))
            return False
        return True

    def _complete(self, connection: Connection, body: bytes, *, chat: bool) -> None:
        try:
            asked = read_asked(body, chat=chat)
        except NotARequest as err:
            return self._refuse(connection, 400, str(err))
        model = self._script.models.get(asked.model)
        if model is None:
            return self._refuse(connection, 404, f"The model `{asked.model}` does not exist.")
        if asked.samples > 1 and self._script.several == "refuse":
            return self._refuse(connection, 400, "n must be 1")
        if self._tally.in_flight > (self._script.most_at_once or self._tally.in_flight):
            return self._refuse(connection, 429, "too many at once")
        if self._gone():
            return None
        if self._script.several == "first":
            asked.samples = 1
        digest = hashlib.blake2b(body, digest_size=16).digest()
        before = self._tally.asked(digest, asked.model)
        fault = draw_wire(self._script, digest, before) if self._faulty else None
        if fault == "hang":
            self._tally.failed(digest, fault)
            return None
        connection.ticket = digest if fault in (None, "slow") else None
        delay_s = model.latency_s.at(point_of(b"latency", digest))
        answer = partial(self._answer, connection, asked, digest, fault)
        if delay_s > 0:
            connection.later(delay_s, answer)
        else:
            answer()
        return None

    def _refuse(self, connection: Connection, status: int, message: str) -> None:
        self._ended(connection)
        connection.reply(status, error(message))

    def _gone(self) -> bool:
        """Count the request; whether the server dies or goes away instead of answering it."""
        script = self._script
        self._since_start += 1
        if script.die_after is not None and self._since_start > script.die_after:
            os._exit(DIED)
        if script.heal_after is not None and self._since_start > script.heal_after:
            self._faulty = False
        if script.away_after is None or self._since_start != script.away_after + 1:
            return False
        self.close()
        asyncio.get_running_loop().call_later(script.away_s, self._come_back)
        return True

    def _come_back(self) -> None:
        self._back = asyncio.get_running_loop().create_task(self.listen(*self._address))

    def _answer(self, connection: Connection, asked: Asked, digest: bytes, fault: WireFault | None) -> None:
        reply = self._reply(asked, digest)
        body = orjson.dumps(reply)
        if fault is None and asked.stream:
            gap_s = self._script.models[asked.model].token_s
            stream(connection, reply, gap_s, partial(self._dripped, connection, digest))
        elif fault is None:
            self._answered(connection, digest)
            connection.reply(200, body)
        elif fault == "slow":
            self._tally.spoiled(fault)
            drip(connection, body, self._script.slow_s, partial(self._dripped, connection, digest))
        else:
            self._tally.failed(digest, fault)
            self._ended(connection)
            inflict(connection, fault, body, self._script)

    def _dripped(self, connection: Connection, digest: bytes) -> None:
        self._answered(connection, digest)
        connection.finish()

    def _answered(self, connection: Connection, digest: bytes) -> None:
        connection.ticket = None
        self._tally.answered(digest)
        self._ended(connection)

    def _ended(self, connection: Connection) -> None:
        if connection.counted:
            connection.counted = False
            self._tally.ended()

    def _reply(self, asked: Asked, digest: bytes) -> dict[str, Any]:
        texts = [text for prompt in asked.prompts for text in self._texts.of(asked, prompt)]
        choices: list[dict[str, Any]] = []
        words = 0
        for place, meant in enumerate(texts):
            fault = draw_reply(self._script, digest, place) if self._faulty else None
            text, finish = spoil(meant, fault)
            if fault is not None:
                self._tally.spoiled(fault)
            words += text.count(" ") + 1
            said: dict[str, Any] = {"message": {"role": "assistant", "content": text}} if asked.chat else {"text": text}
            if asked.logprobs and asked.chat:
                said["logprobs"] = logprobs(text, digest, place)
            choices.append({"index": place, **said, "finish_reason": finish})
        usage = {"prompt_tokens": asked.words, "completion_tokens": words, "total_tokens": asked.words + words}
        return {
            "id": f"cmpl-{digest.hex()}",
            "object": "chat.completion" if asked.chat else "text_completion",
            "model": asked.model,
            "choices": choices,
            "usage": usage,
        }
