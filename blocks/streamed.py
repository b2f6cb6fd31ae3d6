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
    """What came of one request; `sent` is when its last attempt began, by `time.perf_counter`."""

    sent: float
    answer: Answer | NoAnswer
    attempts: int = 1


class Run(NamedTuple):
    """Requests in order, and seconds from the first one's start to the last one's last byte."""

    replies: list[Streamed]
    total_s: float


def stream(endpoint: Endpoint, batches: Sequence[Sequence[bytes]]) -> Run:
    """Put each batch at once, and the next when its last reply is whole.

    A request that met the world's trouble is put again, and its time is that of the attempt that came through; one that
    was late is not.

    Args:
        batches: bodies of chat requests.

    Raises:
        RecipeError: the endpoint's key variable is not set.
        Stopped: the night was told to end.
    """
    key, began = key_of(endpoint), time.perf_counter()
    with _undisturbed():
        replies = uvloop.run(_stream(endpoint, batches, key))
    return Run(replies, max((_end(one) for one in replies), default=began) - began)


def plain(endpoint: Endpoint, bodies: Sequence[bytes]) -> Run:
    """Put requests one by one and not streamed, by the standard library's client: how fast it goes without ours."""
    key, parts, began = key_of(endpoint), urlsplit(endpoint.urls[0]), time.perf_counter()
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=endpoint.timeout_s)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    replies: list[Streamed] = []
    with _undisturbed():
        for body in bodies:
            _go_on()
            replies.append(_plain(connection, f"{parts.path}/chat/completions", body, headers))
    connection.close()
    return Run(replies, max((_end(one) for one in replies), default=began) - began)


def _plain(connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> Streamed:
    sent = time.perf_counter()
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as err:
        connection.close()
        return Streamed(sent, NoAnswer(f"{type(err).__name__}: {err}", late=isinstance(err, TimeoutError)))
    return Streamed(sent, Answer(answer.status, None, None, content, ((time.perf_counter(), len(content)),)))


async def _stream(endpoint: Endpoint, batches: Sequence[Sequence[bytes]], key: str | None) -> list[Streamed]:
    servers = [Server(url) for url in endpoint.urls]
    heads = [server.head("POST", "/chat/completions", key) for server in servers]
    found: list[Streamed] = []
    try:
        for batch in batches:
            _go_on()
            places = [place % len(servers) for place in range(len(batch))]
            asked = (_ask(endpoint, servers[at], heads[at], body) for at, body in zip(places, batch, strict=True))
            found += await asyncio.gather(*asked)
    finally:
        for server in servers:
            server.close()
    return found


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
