"""From specs to running model servers that end with the night, however it ends."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from blocks.pid_file import reap
from blocks.server_process import ServerProcess, free_port
from blocks.servers import ServerSpec
from nightschool.errors import RecipeError, WorldError
from nightschool.wire import Endpoint

_POLL_S = 0.1
_PROGRESS_S = 10.0


class Fleet:
    """The model servers of a night: started side by side, known by their endpoints.

    Args:
        log_dir: takes `<name>.log` and `<name>.pid.json` of every server.
        on_progress: gets a line for a person now and then while servers start.

    Raises:
        RecipeError: two models have the same name.
    """

    def __init__(self, specs: Sequence[ServerSpec], *, log_dir: Path, on_progress: Callable[[str], None]) -> None:
        names = [name for spec in specs for name in spec.served]
        if twice := {name for name in names if names.count(name) > 1}:
            raise RecipeError("two models are served under the same name", value=sorted(twice))
        self._specs = {spec.name: spec for spec in specs}
        self._log_dir = log_dir
        self._on_progress = on_progress
        self._running: dict[str, ServerProcess] = {}
        self._lock = threading.RLock()
        self._ending = threading.Event()
        # Only the variable's name travels in endpoints, which are written down; the key never leaves the environment.
        self._key_env = f"NIGHTSCHOOL_KEY_{secrets.token_hex(4).upper()}"

    def start(self) -> dict[str, Endpoint]:
        """Start what isn't running and wait until all of it answers; safe to call again, also after a failure.

        Returns:
            The endpoint of every model and adapter, by name.

        Raises:
            RecipeError: a server can't be started as specified.
            WorldError: a server ended early or was not healthy in time, with the end of its log; or `stop` was called
                meanwhile.
        """
        with self._lock:
            self._ending.clear()
            key = os.environ.setdefault(self._key_env, secrets.token_hex(32))
            try:
                self._log_dir.mkdir(parents=True, exist_ok=True)
            except OSError as err:
                raise WorldError(f"no folder for the logs of model servers: {err}") from None
            for name in reap(self._log_dir):
                self._on_progress(f"{name}: ended what an earlier night left")
            for spec in self._specs.values():
                if spec.engine != "endpoint":
                    self._start_one(spec, key)
            self._wait()
            return {name: self._endpoint(spec, name) for spec in self._specs.values() for name in spec.served}

    def stop(self) -> None:
        """End every server: all are told at once, then waited for. A start under way in another thread gives up."""
        self._ending.set()
        with self._lock:
            running = list(self._running.values())
            self._running.clear()
            for server in running:
                server.tell_to_end()
            for server in running:
                server.end()
            os.environ.pop(self._key_env, None)

    def memory(self) -> dict[str, int]:
        """Bytes of main memory (RSS) held by each server with all its processes, by name; empty when none is up."""
        with self._lock:
            return {name: server.rss_bytes() for name, server in self._running.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_one(self, spec: ServerSpec, key: str) -> None:
        """Start a server that isn't running; one that had been up keeps its port, so that its endpoints stay good."""
        earlier = self._running.get(spec.name)
        if earlier is not None and earlier.is_up():
            return
        port = earlier.port if earlier is not None and earlier.ready else free_port()
        self._running[spec.name] = ServerProcess(spec, key, self._log_dir, port)

    def _wait(self) -> None:
        """Poll every server that isn't ready; one that fails is ended, so that a later start makes it anew."""
        said = time.monotonic()
        while waiting := [server for server in self._running.values() if not server.ready]:
            for server in waiting:
                try:
                    healthy = server.check()
                except WorldError:
                    self._running.pop(server.spec.name).end()
                    raise
                if healthy:
                    self._on_progress(f"{server.spec.name}: up after {server.age_s():.1f} s")
            if time.monotonic() - said > _PROGRESS_S:
                said = time.monotonic()
                for server in waiting:
                    if not server.ready:
                        self._on_progress(f"{server.spec.name}: starting for {server.age_s():.0f} s, log {server.log}")
            if self._ending.wait(_POLL_S):
                raise WorldError("the model servers were stopped while they started")

    def _endpoint(self, spec: ServerSpec, name: str) -> Endpoint:
        remote = spec.engine == "endpoint"
        return Endpoint(
            model=spec.model if remote and name == spec.name else name,
            urls=spec.urls if remote else (f"http://127.0.0.1:{self._running[spec.name].port}/v1",),
            key_env=spec.key_env if remote else self._key_env,
            concurrency=spec.concurrency,
            timeout_s=spec.request_timeout_s,
            attempts=spec.attempts,
        )
