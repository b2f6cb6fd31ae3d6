"""Starts the embedded server as a process and talks to it over HTTP: for its tests."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEY = "sesame"


@contextmanager
def server(*flags: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "blocks.embedded", "--port", str(port), *flags]
    environment = {**os.environ, "NIGHTSCHOOL_API_KEY": KEY, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield port, process
    finally:
        process.kill()
        process.communicate()


def call(port: int, method: str, path: str, body: object = None, key: str = KEY) -> tuple[int, Any, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, payload, {"Authorization": f"Bearer {key}"})
    response = connection.getresponse()
    raw = response.read()
    connection.close()
    return response.status, json.loads(raw) if raw else None, dict(response.getheaders())


def _health(port: int) -> int:
    try:
        return call(port, "GET", "/health", key="")[0]
    except OSError:
        return 0


def await_healthy(port: int, process: subprocess.Popen[str]) -> set[int]:
    seen: set[int] = set()
    deadline = time.monotonic() + 120
    while 200 not in seen:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline
        seen.add(_health(port))
        time.sleep(0.05)
    return seen
