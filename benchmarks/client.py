"""Rows per second of our client beside a bare aiohttp loop, on the same stub server, taking turns in the same run.

`python -m benchmarks.client [--rows 5000] [--pairs 5] [--delay-ms 0] [--concurrency 64] [--json]`

The stub is a process of its own that answers any chat request with 600 bytes after the delay. The bare loop is the
fastest thing that a careful person would write by hand: one session, a fixed number of workers, orjson both ways. It
keeps nothing, retries nothing and checks nothing. Reported is the median over pairs of (ours / bare); with a delay,
also the share of the bound, concurrency / delay.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import aiohttp
import orjson

from blocks.client import Client
from nightschool.wire import Ask, Endpoint, Message, Reply, Sampling

_PROMPT = "Work it out step by step and say which one it is. " * 16
_SAMPLING = Sampling(temperature=0.7, max_tokens=200)


async def _stub(delay_s: float) -> None:
    """Answer as little HTTP as a keep-alive client needs; print the port."""
    content = orjson.dumps({"reasoning": "so " * 150, "answer": "B"}).decode()
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    body = orjson.dumps({"choices": [choice], "usage": {"prompt_tokens": 200, "completion_tokens": 150}})
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    server = await asyncio.get_running_loop().create_server(lambda: _Stub(head.encode() + body, delay_s), "127.0.0.1")
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class _Stub(asyncio.Protocol):
    def __init__(self, reply: bytes, delay_s: float) -> None:
        self._reply = reply
        self._delay_s = delay_s
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, self._reply)
            else:
                self._transport.write(self._reply)


async def _bare(url: str, rows: int, concurrency: int) -> int:
    numbers = iter(range(rows))
    right = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            nonlocal right
            for number in numbers:
                body = {
                    "model": "m",
                    "messages": [{"role": "user", "content": f"{_PROMPT} {number}"}],
                    "temperature": 0.7,
                    "max_tokens": 200,
                    "seed": number,
                }
                headers = {"Content-Type": "application/json"}
                async with session.post(f"{url}/chat/completions", data=orjson.dumps(body), headers=headers) as answer:
                    reply = orjson.loads(await answer.read())
                right += reply["choices"][0]["finish_reason"] == "stop"

        await asyncio.gather(*(work() for _ in range(concurrency)))
    return right


def _asks(rows: int) -> Iterator[Ask]:
    for number in range(rows):
        messages = (Message(role="user", content=f"{_PROMPT} {number}"),)
        yield Ask(id=str(number), messages=messages, sampling=_SAMPLING, seed=number)


def _ours(client: Client, url: str, rows: int, concurrency: int) -> int:
    right = 0

    def count(reply: Reply) -> None:
        nonlocal right
        right += reply.choices[0].finish == "stop"

    def give_up(ask: Ask, reason: str, attempts: int, text: str) -> None:
        raise AssertionError(f"{ask.id}: {reason} {text}")

    client.ask_all(Endpoint(model="m", urls=(url,), concurrency=concurrency), _asks(rows), count, give_up)
    return right


def _measure(url: str, rows: int, pairs: int, concurrency: int) -> list[tuple[float, float, float, float]]:
    """(ours rows/s, bare rows/s, ours CPU ms per row, bare CPU ms per row) of each pair."""

    def timed(run: Callable[[], int]) -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        assert run() == rows
        return rows / (time.perf_counter() - wall), (time.process_time() - cpu) / rows * 1e3

    found = []
    with Client() as client:
        for _ in range(pairs):
            ours, ours_cpu = timed(lambda: _ours(client, url, rows, concurrency))
            bare, bare_cpu = timed(lambda: asyncio.run(_bare(url, rows, concurrency)))
            found.append((ours, bare, ours_cpu, bare_cpu))
    return found


def main() -> None:
    """Run the pairs and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--stub", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stub:
        asyncio.run(_stub(given.delay_ms / 1e3))
        return
    command = [sys.executable, "-m", "benchmarks.client", "--stub", "--delay-ms", str(given.delay_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as stub:
        assert stub.stdout is not None
        url = f"http://127.0.0.1:{int(stub.stdout.readline())}/v1"
        pairs = _measure(url, given.rows, given.pairs, given.concurrency)
        stub.terminate()
    ours, bare, ours_cpu, bare_cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
    figures = {
        "rows": given.rows, "pairs": given.pairs, "delay_ms": given.delay_ms, "concurrency": given.concurrency,
        "ours_rows_per_s": round(ours), "bare_rows_per_s": round(bare),
        "ratio": round(statistics.median(one / other for one, other, _, _ in pairs), 3),
        "ours_cpu_ms_per_row": round(ours_cpu, 4), "bare_cpu_ms_per_row": round(bare_cpu, 4),
        "load_1min": os.getloadavg()[0],
    }  # fmt: skip
    if given.delay_ms:
        figures["share_of_bound"] = round(ours / (given.concurrency / given.delay_ms * 1e3), 3)
    lines = [f"{key:22}{value}" for key, value in figures.items()]
    print(orjson.dumps(figures).decode() if given.json else "\n".join(lines))


if __name__ == "__main__":
    main()
