"""Prefect's server beside a night that nobody has given one: on loopback, and gone when the night is.

Prefect can start one by itself (its "ephemeral" mode), but that one outlives a night that is killed.

It is started before the night is known: the seconds that it takes are those in which the recipe is read.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from blocks import guard
from blocks.disk import writing
from nightschool.errors import WorldError

_HOST = "127.0.0.1"
_START_LIMIT_S = 120.0  # measured: 18 s the first time on an idle machine, 5 s later
_GRACE_S = 3.0
_MOST_WORDS = 1 << 20
# As Prefect sets them for the server that it starts by itself: no UI, no schedules.
_LEAN = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}


class PrefectBeside:
    """The server, perhaps not up yet: `url` is where its API will be."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, said: IO[bytes]) -> None:
        self._process, self._port, self._said = process, port, said
        self.url = f"http://{_HOST}:{port}/api"

    def wait(self) -> None:
        """Return once it answers.

        Raises:
            WorldError: it ended, or was not healthy in time; with the end of its log.
        """
        deadline = time.monotonic() + _START_LIMIT_S
        while not _answers(self._port):
            if self._process.poll() is not None:
                raise self._failed(f"exit code {self._process.returncode}")
            if time.monotonic() > deadline:
                raise self._failed(f"not healthy after {_START_LIMIT_S:.0f} s")
            time.sleep(0.1)

    def ended(self) -> bool:
        """Whether its process has gone."""
        return self._process.poll() is not None

    def keep(self, log: Path) -> None:
        """Write what it has said so far to a file."""
        with writing(log.parent):
            log.write_bytes(self._words)

    @property
    def _words(self) -> bytes:
        # By place: the server writes where this file stands.
        return os.pread(self._said.fileno(), _MOST_WORDS, max(0, os.fstat(self._said.fileno()).st_size - _MOST_WORDS))

    def _failed(self, why: str) -> WorldError:
        lines = [line for line in self._words.decode(errors="replace").splitlines() if line.strip()]
        return WorldError("\n".join([f"Prefect's server did not start: {why}", *lines[-10:]]))


@contextmanager
def prefect_beside() -> Iterator[PrefectBeside]:
    """A server that has been started; ended with the block, or when this process ends in whatever way."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    where = ["--factory", "prefect.server.api.server:create_app", "--host", _HOST, "--port", str(port)]
    command = [sys.executable, "-m", "uvicorn", *where, "--log-level", "error", "--lifespan", "on"]
    command += ["--app-dir", str(_home_of_prefect())]
    with tempfile.TemporaryFile("a+b") as said:
        process = guard.start(command, env={**os.environ, **_LEAN}, log=said, grace_s=_GRACE_S)
        try:
            yield PrefectBeside(process, port, said)
        finally:
            guard.end(process, grace_s=_GRACE_S)


def _home_of_prefect() -> Path:
    found = find_spec("prefect")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parents[1]


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
