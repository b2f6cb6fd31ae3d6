"""Rows as a phase asks them: chunks in threads, each with its journal, its rows read as answers; and the bare loop."""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import orjson

from blocks.client import Client
from blocks.journal import Journal
from nightschool import answers
from nightschool.chunks import split
from nightschool.wire import Ask, Endpoint, Message, Sampling
from tasks.asking import Asked
from tasks.progress import Tracker

PROMPT = "Work it out step by step and say which one it is. " * 16
SAMPLING = Sampling(temperature=0.7, max_tokens=200)


def asks(numbers: Sequence[int]) -> Iterator[Ask]:
    """One prompt of 800 bytes for each number, which is its seed too."""
    for number in numbers:
        messages = (Message(role="user", content=f"{PROMPT} {number}"),)
        yield Ask(id=str(number), messages=messages, sampling=SAMPLING, seed=number)


def ours(client: Client, endpoint: Endpoint, rows: int, *, chunk_rows: int = 1000, at_once: int = 4) -> int:
    """Ask so many rows in chunks, journal on; how many were answered as wanted."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_once) as threads:

        def chunk(numbers: Sequence[int]) -> int:
            with Journal(Path(folder) / f"chunk-{numbers[0]}.jsonl") as journal:
                asked = Asked(endpoint, journal, Tracker("benchmark"))
                asked.expect(asks(numbers), answers.flaw(4))
                client.ask_all(endpoint, asked.to_ask(), asked.keep, asked.give_up)
            return sum(reply.choices[0].finish == "stop" for reply in asked.replies.values())

        return sum(threads.map(chunk, split(range(rows), chunk_rows)))


def bare(url: str, rows: int, concurrency: int) -> int:
    """What a careful person writes by hand: one session, as many workers, orjson both ways, a line a row, no fsync."""
    with tempfile.NamedTemporaryFile() as file:
        return asyncio.run(_bare(url, rows, concurrency, file.fileno()))


async def _bare(url: str, rows: int, concurrency: int, fd: int) -> int:
    numbers = iter(range(rows))
    right = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            nonlocal right
            for number in numbers:
                body = {
                    "model": "m",
                    "messages": [{"role": "user", "content": f"{PROMPT} {number}"}],
                    "temperature": 0.7,
                    "max_tokens": 200,
                    "seed": number,
                }
                headers = {"Content-Type": "application/json"}
                async with session.post(f"{url}/chat/completions", data=orjson.dumps(body), headers=headers) as answer:
                    choice = orjson.loads(await answer.read())["choices"][0]
                os.write(fd, orjson.dumps({"id": number, "text": choice["message"]["content"]}) + b"\n")
                right += choice["finish_reason"] == "stop"

        await asyncio.gather(*(work() for _ in range(concurrency)))
    return right


def timed(run: Callable[[], int], rows: int) -> tuple[float, float]:
    """Rows per second, and CPU microseconds per row of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    assert run() == rows
    return rows / (time.perf_counter() - wall), (time.process_time() - cpu) / rows * 1e6


def peak_mb() -> float:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
