"""A reply as the events of a stream, a word at a time, as vLLM sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from blocks.scripted.connection import Connection

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def stream(connection: Connection, reply: dict[str, Any], gap_s: float, done: Callable[[], None]) -> None:
    """Send a chat reply with one choice, its words so many seconds apart; then `done`."""
    pieces = list(_pieces(reply))
    connection.transport.write(_HEAD)

    def next_piece() -> None:
        connection.transport.write(_chunk(pieces.pop(0)))
        if len(pieces) > 1 and gap_s > 0:
            connection.later(gap_s, next_piece)
        elif pieces:
            next_piece()
        else:
            connection.transport.write(b"0\r\n\r\n")
            done()

    next_piece()


def _pieces(reply: dict[str, Any]) -> Iterator[bytes]:
    """An event for each word, and with the last of them the reply's end and usage."""
    choice = reply["choices"][0]
    text = choice["message"]["content"]
    words = text.split(" ")
    common = {"id": reply["id"], "object": "chat.completion.chunk", "model": reply["model"]}
    for place, word in enumerate(words):
        last = place == len(words) - 1
        delta = {"content": word if last else f"{word} "} | ({"role": "assistant"} if place == 0 else {})
        said = {"index": 0, "delta": delta, "finish_reason": choice["finish_reason"] if last else None}
        yield _event({**common, "choices": [said]})
    yield _event({**common, "choices": [], "usage": reply["usage"]}) + b"data: [DONE]\n\n"


def _event(record: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(record)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
