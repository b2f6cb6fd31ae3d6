"""From a drawn fault to what goes wrong on the wire."""

from __future__ import annotations

import asyncio
import random
from typing import TypeVar, get_args

from aiohttp import web

from blocks.scripted.script import ReplyFault, Script, WireFault

Fault = TypeVar("Fault", WireFault, ReplyFault)


def draw_wire(script: Script, digest: str, attempt: int) -> WireFault | None:
    """The fault that one attempt meets; another attempt of the same ask draws anew."""
    return _draw(script, get_args(WireFault), f"{digest}:{attempt}")


def draw_reply(script: Script, digest: str, sample: int) -> ReplyFault | None:
    """The fault of one sample's text: the same for the same ask, as a model's own weakness is."""
    return _draw(script, get_args(ReplyFault), f"{digest}:sample:{sample}")


def spoil(text: str, fault: ReplyFault | None) -> tuple[str, str]:
    """Text and finish_reason of a reply that meets the fault."""
    if fault == "rubbish":
        return "As a large language model I would rather talk about {something else} ]]", "stop"
    if fault == "wrong_shape":
        return '{"unasked": true}', "stop"
    if fault == "truncated":
        return text[: len(text) // 2], "length"
    return text, "stop"


async def inflict(request: web.Request, fault: WireFault, body: bytes, script: Script) -> web.StreamResponse:
    """Answer a request as the fault has it; `body` is what would have been sent without it."""
    if fault == "status_429":
        headers = {"Retry-After": f"{script.retry_after_s:g}"}
        return web.json_response({"error": {"message": "slow down"}}, status=429, headers=headers)
    if fault == "status_500":
        return web.json_response({"error": {"message": "the engine has failed"}}, status=500)
    if fault == "wrong_content_type":
        return web.Response(text="<html><body>Service is being updated</body></html>", content_type="text/html")
    if fault == "empty_choices":
        return web.json_response({"object": "chat.completion", "choices": []})
    if fault == "hang":
        await asyncio.Event().wait()
    return await _drip(request, fault, body, script)


async def _drip(request: web.Request, fault: WireFault, body: bytes, script: Script) -> web.StreamResponse:
    """Half of the body, and then nothing good; or all of it, slowly."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    half = len(body) // 2
    await response.write(body[:half])
    if fault == "slow":
        await asyncio.sleep(script.slow_s)
        await response.write(body[half:])
        await response.write_eof()
        return response
    transport = request.transport
    if transport is not None and fault == "reset":
        transport.abort()
    elif transport is not None:
        transport.close()
    return response


def _draw(script: Script, kinds: tuple[Fault, ...], name: str) -> Fault | None:
    point = random.Random(name).random()
    for kind in kinds:
        point -= script.faults.get(kind, 0.0)
        if point < 0:
            return kind
    return None
