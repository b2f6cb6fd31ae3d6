"""From a drawn fault to what goes wrong on the wire."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar, get_args

import orjson

from blocks.scripted.connection import Connection, head
from nightschool.recipe.script import ReplyFault, Script, WireFault

Fault = TypeVar("Fault", WireFault, ReplyFault)
_HUGE = 10 * 1000**2
_DRIPS = 20
_SCALE = 2.0**64


def point_of(*parts: bytes) -> float:
    """A point in [0, 1) that is the same for the same parts."""
    return int.from_bytes(hashlib.blake2b(b"\x1f".join(parts), digest_size=8).digest()) / _SCALE


def draw_wire(script: Script, digest: bytes, attempt: int) -> WireFault | None:
    """The fault that one attempt meets; another attempt of the same ask draws anew, unless faults go by row."""
    turn = attempt if script.fault_by == "attempt" else 0
    return _draw(script, get_args(WireFault), digest, b"wire", b"%d" % turn)


def draw_reply(script: Script, digest: bytes, sample: int) -> ReplyFault | None:
    """The fault of one sample's text: the same for the same ask, as a model's own weakness is."""
    return _draw(script, get_args(ReplyFault), digest, b"sample", b"%d" % sample)


def spoil(text: str, fault: ReplyFault | None) -> tuple[str, str]:
    """Text and finish_reason of a reply that meets the fault."""
    if fault == "rubbish":
        return "As a large language model I would rather talk about {something else} ]]", "stop"
    if fault == "wrong_shape":
        return '{"unasked": true}', "stop"
    if fault == "truncated":
        return text[: len(text) // 2], "length"
    return text, "stop"


def inflict(connection: Connection, fault: WireFault, body: bytes, script: Script) -> None:
    """Answer a request as the fault has it; `body` is what would have been sent without it. A slow one is `drip`ped."""
    if fault == "status_429":
        extra = f"Retry-After: {script.retry_after_s:g}\r\n".encode()
        connection.reply(429, error("slow down"), extra=extra)
    elif fault == "status_500":
        connection.reply(500, error("the engine has failed"))
    elif fault == "status_503":
        connection.reply(503, error("the engine is being updated"))
    elif fault == "wrong_content_type":
        page = b"<html><body>Service is being updated</body></html>"
        connection.reply(200, page, kind=b"text/html; charset=utf-8")
    elif fault == "empty_choices":
        connection.reply(200, b'{"object":"chat.completion","choices":[]}')
    elif fault == "half_json":
        connection.reply(200, body[: len(body) // 2])
    elif fault == "huge":
        connection.reply(200, _huge())
    elif fault in ("reset", "half_body"):
        transport = connection.transport
        transport.write(head(200, len(body)) + body[: len(body) // 2])
        (transport.abort if fault == "reset" else transport.close)()


def drip(connection: Connection, body: bytes, over_s: float, done: Callable[[], None]) -> None:
    """Send all of a body, a little at a time; then `done`."""
    connection.transport.write(head(200, len(body)))
    step = max(1, -(-len(body) // _DRIPS))
    pieces = [body[start : start + step] for start in range(0, len(body), step)]

    def next_piece() -> None:
        connection.transport.write(pieces.pop(0))
        if pieces:
            connection.later(over_s / _DRIPS, next_piece)
        else:
            done()

    connection.later(over_s / _DRIPS, next_piece)


def error(message: str) -> bytes:
    """The body of a refusal, as OpenAI has it."""
    return orjson.dumps({"error": {"message": message}})


@lru_cache(maxsize=1)
def _huge() -> bytes:
    """Ten megabytes of one reply that never comes to its point."""
    message = {"role": "assistant", "content": "and so on, " * (_HUGE // 11)}
    return orjson.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]})


def _draw(script: Script, kinds: tuple[Fault, ...], *parts: bytes) -> Fault | None:
    wanted = [(kind, share) for kind in kinds if (share := script.faults.get(kind))]
    point = point_of(*parts) if wanted else 1.0
    for kind, share in wanted:
        point -= share
        if point < 0:
            return kind
    return None
