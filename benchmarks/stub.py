"""A model server that is not the bottleneck: it answers any chat request with 600 bytes, after a delay.

It is eighty lines of C (stub.c), compiled when it starts: one in Python took a fifth of a core itself and answered late
enough to cost a client that did nothing at all a hundredth of its slots. With a p99, the delay is log-normal with the
given median, drawn from the request's seed: so the same row takes as long in every run, and `delay_s` tells how long.
Timers are late, more so on a busy machine: `served` tells the delay as it was, which is what bounds a client.
"""

from __future__ import annotations

import array
import math
import random
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

_SOURCE = Path(__file__).with_name("stub.c")
_SEEDS = 2**16
_Z99 = 2.326347874


def delay_s(seed: int, median_ms: float, p99_ms: float) -> float:
    """How long the reply to this row takes; seeds from 65,536 on begin again."""
    if not p99_ms:
        return median_ms / 1e3
    sigma = math.log(p99_ms / median_ms) / _Z99
    return median_ms / 1e3 * math.exp(random.Random(seed % _SEEDS).gauss(0, sigma))


def _reply() -> bytes:
    content = orjson.dumps({"reasoning": "so " * 150, "answer": "B"}).decode()
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    body = orjson.dumps({"choices": [choice], "usage": {"prompt_tokens": 200, "completion_tokens": 150}})
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def served(url: str) -> tuple[int, float]:
    """Replies so far, and the seconds that they were held back in all."""
    with urllib.request.urlopen(f"{url}/stats") as answer:
        figures = orjson.loads(answer.read())
    return figures["replies"], figures["seconds"]


@contextmanager
def stub(delay_ms: float = 0.0, p99_ms: float = 0.0) -> Iterator[str]:
    """A stub in a process of its own while the block runs; yields its base URL."""
    if shutil.which("cc") is None:
        raise SystemExit("the benchmark's server is C: install a compiler that is called cc, such as gcc")
    seeds = range(_SEEDS if p99_ms else 1)
    with tempfile.TemporaryDirectory() as name:
        server, reply, delays = (Path(name) / part for part in ("stub", "reply", "delays"))
        subprocess.run(["cc", "-O2", "-Wall", "-o", server, _SOURCE], check=True)
        reply.write_bytes(_reply())
        delays.write_bytes(array.array("d", (delay_s(seed, delay_ms, p99_ms) for seed in seeds)).tobytes())
        with subprocess.Popen([server, reply, delays], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
            process.terminate()
