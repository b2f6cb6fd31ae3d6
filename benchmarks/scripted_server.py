"""CPU per request of the scripted server, by behaviour, beside a stub that answers the same bytes to everything.

`python -m benchmarks.scripted_server [--requests 20000] [--samples 8]`

Both run as processes of their own and are asked over 32 raw sockets, taking turns; what is counted is the CPU time of
the server's process, so that the client that asks and whatever else the machine does stay out of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import orjson
import psutil

from blocks.server_process import free_port

_CONNECTIONS = 32
_PROMPT = "Work it out step by step and say which one it is. " * 8


class _Stub(asyncio.Protocol):
    """The least that can be done: find the end of the request, answer."""

    def __init__(self, reply: bytes) -> None:
        self._reply = reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._reply)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=8, help="replies per request, for behaviour maths")
    parser.add_argument("--stub", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stub:
        asyncio.run(_stub(options.stub))
    print(f"{'server':<8} {'samples':>7} {'CPU us/request':>14} {'requests/s of a core':>20} {'seen here/s':>12}")
    for name, samples in (
        ("stub", 1),
        ("text", 1),
        ("echo", 1),
        ("tally", 1),
        ("maths", 1),
        ("maths", options.samples),
    ):
        cpu_s, wall_s = _measure(name, options.requests, samples)
        each = cpu_s / options.requests
        print(f"{name:<8} {samples:>7} {each * 1e6:>14.0f} {1 / each:>20,.0f} {options.requests / wall_s:>12,.0f}")
    return 0


async def _stub(port: int) -> None:
    body = orjson.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": "As you wish."}}]})
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    server = await asyncio.get_running_loop().create_server(lambda: _Stub(reply), "127.0.0.1", port)
    await server.serve_forever()


def _measure(name: str, requests: int, samples: int) -> tuple[float, float]:
    """CPU seconds of the server and seconds on the clock for all requests."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        script = {"behaviour": "text" if name == "tally" else name, "models": {"m": {}}}
        if name == "tally":
            script["tally"] = str(Path(folder) / "tally")
        (Path(folder) / "script.json").write_text(json.dumps(script))
        command = [sys.executable, "-m", "blocks.scripted", "--port", str(port), "--script", f"{folder}/script.json"]
        if name == "stub":
            command = [sys.executable, "-m", "benchmarks.scripted_server", "--stub", str(port)]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            _wait(port)
            before, began = psutil.Process(server.pid).cpu_times(), time.perf_counter()
            asyncio.run(_ask(port, requests, samples))
            wall_s, after = time.perf_counter() - began, psutil.Process(server.pid).cpu_times()
        finally:
            server.terminate()
            server.wait()
    return after.user + after.system - before.user - before.system, wall_s


def _wait(port: int) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server does not come up")


async def _ask(port: int, requests: int, samples: int) -> None:
    numbers = iter(range(requests))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            turns = [{"role": "user", "content": f"{_PROMPT}{number}"}]
            body = orjson.dumps({"model": "m", "messages": turns, "n": samples, "seed": number})
            head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body)
            writer.write(head + body)
            top = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(top.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        writer.close()

    await asyncio.gather(*(work() for _ in range(_CONNECTIONS)))


if __name__ == "__main__":
    sys.exit(main())
