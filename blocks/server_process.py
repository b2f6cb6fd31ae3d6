"""One model server as a guarded process: its port, its log, its pid file, its health."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import time
from pathlib import Path
from typing import Literal

import orjson
import psutil

from blocks import guard
from blocks.pid_file import PidFile, alive, end_marked, identify
from blocks.servers import ServerSpec, command, environment
from nightschool.errors import WorldError

_HOST = "127.0.0.1"
_GRACE_S = 5.0
_PROBE_TIMEOUT_S = 2.0
_TAIL_LINES = 20
_TAIL_BYTES = 64 * 1024
_given: set[int] = set()


class ServerProcess:
    """A server that has been started and may not be healthy yet; it ends with this process.

    Raises:
        RecipeError: the spec can't be turned into a command.
        WorldError: the process or its files can't be made.
    """

    def __init__(self, spec: ServerSpec, number: int, key: str, log_dir: Path, port: int) -> None:
        self.spec = spec
        self.name = spec.replica(number)
        self.port = port
        self.started = time.monotonic()
        self.ready = False
        self.log = log_dir / f"{self.name}.log"
        self._key = key
        self._pid_path = log_dir / f"{self.name}.pid.json"
        self._mark = secrets.token_hex(16)
        script = log_dir / f"{self.name}.script.json"
        arguments = command(spec, self.port, script)
        variables = environment(spec, key, spec.devices[number] if spec.devices else ()) | {
            PidFile.VARIABLE: self._mark
        }
        try:
            if spec.script is not None:
                script.write_text(spec.script, encoding="utf-8")
            with self.log.open("ab") as log:
                self._log_begins = log.tell()
                self._guard = guard.start(arguments, env=variables, log=log, grace_s=_GRACE_S)
            left = PidFile(server=identify(self._guard.pid), owner=identify(os.getpid()), mark=self._mark)
            left.write(self._pid_path)
        except OSError as err:
            raise WorldError(f"model server {self.name} cannot be started: {err}") from None

    def is_up(self) -> bool:
        """Whether the process runs, healthy or not."""
        return self._guard.poll() is None

    def check(self) -> bool:
        """Whether the server answers and serves what it should; once it does, it is `ready`.

        Raises:
            WorldError: it has ended, its time is up, or something else answers in its place; with the end of its log.
        """
        if not self.is_up():
            raise self.death()
        if self._get("/health") is not None:
            served = self._served()
            if missing := set(self.spec.served) - set(served):
                raise self._failure(f"serves {', '.join(served) or 'nothing'}, not {', '.join(sorted(missing))}")
            self.ready = True
        elif self.age_s() > self.spec.startup_timeout_s:
            raise self._failure(f"was not healthy after {self.spec.startup_timeout_s:g} s")
        return self.ready

    def health(self) -> Literal["well", "ill", "silent"]:
        """What a server that is up says of itself: `ill` refuses or answers otherwise, `silent` takes too long."""
        try:
            return "well" if self._ask("/health")[0] == http.client.OK else "ill"
        except TimeoutError:
            return "silent"
        except (OSError, http.client.HTTPException):
            return "ill"

    def illness(self, since_s: float) -> WorldError:
        """One that runs and has not been well for so long, with the end of its log."""
        return self._failure(f"has not been well for {since_s:.0f} s")

    def death(self) -> WorldError:
        """How a server that has ended did, with the end of its log."""
        return self._failure(f"ended with exit code {self._guard.poll()}")

    def age_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def rss_bytes(self) -> int:
        """Resident memory of the server with all its processes; 0 when it has ended."""
        total = 0
        for process in alive(self._guard.pid):
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        return total

    def tell_to_end(self) -> None:
        """Ask for an orderly end; returns at once."""
        if self._guard.stdin is not None:
            self._guard.stdin.close()

    def end(self) -> None:
        """End it and wait until it has; its pid file goes with it."""
        guard.end(self._guard, grace_s=_GRACE_S)
        if self._guard.returncode == -signal.SIGKILL:
            end_marked(self._mark)  # a guard that was killed could end nobody
        self._pid_path.unlink(missing_ok=True)

    def _get(self, path: str) -> bytes | None:
        """The body of a 200, None for anything else."""
        try:
            status, body = self._ask(path)
        except (OSError, http.client.HTTPException):
            return None
        return body if status == http.client.OK else None

    def _ask(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=_PROBE_TIMEOUT_S)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self._key}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _served(self) -> list[str]:
        """The names it lists; the key proves that it is ours and not another that took the port."""
        try:
            return [str(model["id"]) for model in orjson.loads(self._get("/v1/models") or b"")["data"]]
        except (ValueError, KeyError, TypeError):
            return []

    def _failure(self, what: str) -> WorldError:
        who = f"model server {self.name} ({self.spec.engine})"
        return WorldError(f"{who} {what}\n{self._tail()}\nthe whole log: {self.log}")

    def _tail(self) -> str:
        """The last lines that this life of the server wrote; the log has those before it as well."""
        try:
            with self.log.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(self._log_begins, size - _TAIL_BYTES))
                text = log.read().decode("utf-8", "replace")
        except OSError as err:
            return f"(its log cannot be read: {err.strerror})"
        lines = text.replace(self._key, "***").splitlines()[-_TAIL_LINES:]
        return "\n".join(f"  | {line}" for line in lines)


def free_port() -> int:
    """A port of loopback that nobody listens on now and that this process was not given before."""
    while True:
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            port: int = probe.getsockname()[1]
        # A server that was just started may not listen yet: its port would look free.
        if port not in _given:
            _given.add(port)
            return port
