"""A model server that is not the bottleneck: it answers any chat request with 600 bytes, after a delay.

`python -m benchmarks.stub [--delay-ms 0] [--p99-ms 0]` prints its port. With a p99, the delay is log-normal with the
given median, drawn from the request's seed: so the same row takes as long in every run, and `delay_s` tells how long.
Timers are late, more so on a busy machine: `/stats` tells the mean delay as it was, which is what bounds a client.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_SEED = re.compile(rb'"seed": ?(\d+)')
_Z99 = 2.326347874


def delay_s(seed: int, median_ms: float, p99_ms: float) -> float:
    """How long the reply to this row takes."""
    if not p99_ms:
        return median_ms / 1e3
    sigma = math.log(p99_ms / median_ms) / _Z99
    return median_ms / 1e3 * math.exp(random.Random(seed).gauss(0, sigma))


@dataclass
class _Served:
    replies: int = 0
    seconds: float = 0.0


class _Stub(asyncio.Protocol):
    """As little HTTP as a keep-alive client needs."""

    def __init__(self, reply: bytes, median_ms: float, p99_ms: float, served: _Served) -> None:
        self._reply, self._median_ms, self._p99_ms, self._served = reply, median_ms, p99_ms, served
        self._buffer = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            if self._buffer.startswith(b"GET"):
                self._buffer = self._buffer[whole:]
                self._transport.write(_http(orjson.dumps(self._served)))  # pyright: ignore[reportAttributeAccessIssue]
                continue
            seed = _SEED.search(self._buffer, end) if self._p99_ms else None
            wait_s = delay_s(int(seed[1]) if seed else 0, self._median_ms, self._p99_ms)
            self._buffer = self._buffer[whole:]
            if wait_s:
                self._loop.call_later(wait_s, self._write, time.monotonic())
            else:
                self._write(time.monotonic())

    def _write(self, came: float) -> None:
        self._served.replies += 1
        self._served.seconds += time.monotonic() - came
        self._transport.write(self._reply)  # pyright: ignore[reportAttributeAccessIssue] - uvloop's is no subclass


def _reply() -> bytes:
    content = orjson.dumps({"reasoning": "so " * 150, "answer": "B"}).decode()
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return _http(orjson.dumps({"choices": [choice], "usage": {"prompt_tokens": 200, "completion_tokens": 150}}))


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def _serve(median_ms: float, p99_ms: float) -> None:
    reply, served, loop = _reply(), _Served(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Stub(reply, median_ms, p99_ms, served), "127.0.0.1", backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def served(url: str) -> tuple[int, float]:
    """Replies so far, and the seconds that they were held back in all."""
    with urllib.request.urlopen(f"{url}/stats") as answer:
        figures = orjson.loads(answer.read())
    return figures["replies"], figures["seconds"]


@contextmanager
def stub(delay_ms: float = 0.0, p99_ms: float = 0.0) -> Iterator[str]:
    """A stub in a process of its own while the block runs; yields its base URL."""
    command = [sys.executable, "-m", "benchmarks.stub", "--delay-ms", str(delay_ms), "--p99-ms", str(p99_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.terminate()


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--p99-ms", type=float, default=0.0)
    given = parser.parse_args()
    uvloop.run(_serve(given.delay_ms, given.p99_ms))


if __name__ == "__main__":
    main()
