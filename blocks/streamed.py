"""Requests put to a server batch by batch, for their times: bytes are stamped as they come, and read when all are here.

The client that makes rows is none for this: it keeps every slot full, and reads each reply while others arrive.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import uvloop

from blocks.call import key_of
from blocks.client import client
from blocks.connection import Answer, NoAnswer, Server
from nightschool.errors import Stopped
from nightschool.wire import Endpoint

_AGAIN_4XX = frozenset({408, 425, 429})
_BACKOFF_S = 0.1


class Streamed(NamedTuple):
    """What came of one request; `sent` is when its last attempt began, by `time.perf_counter`; `first` is the draft's
    that was asked for before it."""

    sent: float
    answer: Answer | NoAnswer
    attempts: int = 1
    first: Streamed | None = None


class First(NamedTuple):
    """Who is asked first, before each request of a run, and the bodies in the run's order: drafts."""

    endpoint: Endpoint
    bodies: Sequence[bytes]


class Run(NamedTuple):
    """Requests in order, and seconds from the first one's start to the last one's last byte."""

    replies: list[Streamed]
    total_s: float


def stream(endpoint: Endpoint, batches: Sequence[Sequence[bytes]], first: First | None = None) -> Run:
    """Put each batch at once, and the next when its last reply is whole.

    A request that something is asked for first is put as soon as that reply is whole: nothing of it is read between.

    A request that met the world's trouble is put again, and its time is that of the attempt that came through; one that
    was late is not.

    Args:
        batches: bodies of chat requests.

    Raises:
        RecipeError: the endpoint's key variable is not set.
        Stopped: the night was told to end.
    """
    began = time.perf_counter()
    with _undisturbed():
        replies = uvloop.run(_stream(endpoint, batches, first))
    return Run(replies, max((_end(one) for one in replies), default=began) - began)


def plain(endpoint: Endpoint, bodies: Sequence[bytes], first: First | None = None) -> Run:
    """Put requests one by one and not streamed, by the standard library's client: how fast it goes without ours."""
    began = time.perf_counter()
    with _Plain(endpoint) as server, _Plain(first.endpoint if first else endpoint) as drafter, _undisturbed():
        replies: list[Streamed] = []
        for place, body in enumerate(bodies):
            _go_on()
            before = drafter.ask(first.bodies[place]) if first else None
            replies.append(server.ask(body)._replace(first=before))
    return Run(replies, max((_end(one) for one in replies), default=began) - began)


class _Plain:
    """A server as the standard library's client asks it, over one connection."""

    def __init__(self, endpoint: Endpoint) -> None:
        parts, key = urlsplit(endpoint.urls[0]), key_of(endpoint)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=endpoint.timeout_s)
        self._path = f"{parts.path}/chat/completions"
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def __enter__(self) -> _Plain:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, body: bytes) -> Streamed:
        sent = time.perf_counter()
        try:
            self._connection.request("POST", self._path, body, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as err:
            self._connection.close()
            return Streamed(sent, NoAnswer(f"{type(err).__name__}: {err}", late=isinstance(err, TimeoutError)))
        return Streamed(sent, Answer(answer.status, None, None, content, ((time.perf_counter(), len(content)),)))


async def _stream(endpoint: Endpoint, batches: Sequence[Sequence[bytes]], first: First | None) -> list[Streamed]:
    answering, drafting = _Servers(endpoint), _Servers(first.endpoint) if first else None
    drafts = iter(first.bodies if first else ())
    found: list[Streamed] = []

    async def ask(place: int, body: bytes, draft: bytes | None) -> Streamed:
        before = await drafting.ask(place, draft) if drafting and draft is not None else None
        return (await answering.ask(place, body))._replace(first=before)

    try:
        for batch in batches:
            _go_on()
            asked = (ask(place, body, next(drafts, None)) for place, body in enumerate(batch))
            found += await asyncio.gather(*asked)
    finally:
        answering.close()
        if drafting:
            drafting.close()
    return found


class _Servers:
    """The replicas of an endpoint, asked in turn."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        key, self._servers = key_of(endpoint), [Server(url) for url in endpoint.urls]
        self._heads = [server.head("POST", "/chat/completions", key) for server in self._servers]

    def close(self) -> None:
        for server in self._servers:
            server.close()

    async def ask(self, place: int, body: bytes) -> Streamed:
        at = place % len(self._servers)
        return await _ask(self._endpoint, self._servers[at], self._heads[at], body)


async def _ask(endpoint: Endpoint, server: Server, head: bytes, body: bytes) -> Streamed:
    attempt = 1
    while True:
        sent = time.perf_counter()
        try:
            answer = await server.ask(head, body, endpoint.timeout_s)
        except NoAnswer as err:
            answer = err
        if attempt >= endpoint.attempts or not _worth_another(answer):
            return Streamed(sent, answer, attempt)
        await asyncio.sleep(_BACKOFF_S * attempt)
        attempt += 1


def _worth_another(answer: Answer | NoAnswer) -> bool:
    if isinstance(answer, NoAnswer):
        return not (answer.late and answer.reached)
    return answer.status >= 500 or answer.status in _AGAIN_4XX


def _end(one: Streamed) -> float:
    return one.answer.arrived[-1][0] if isinstance(one.answer, Answer) and one.answer.arrived else one.sent


def _go_on() -> None:
    if client().stopped:
        raise Stopped


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No collection of this process's garbage, which may take longer than a token does."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
