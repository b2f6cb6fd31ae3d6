"""From a port to Prefect on loopback: a server, and a worker that runs one night at a time."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blocks import exposure, guard
from blocks.process import last_lines
from nightschool.errors import WorldError

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
POOL = "nightschool"
START_LIMIT_S = 300.0
GRACE_S = 10.0
# A server on a machine that is busy training was seen to take seventeen.
_ANSWER_S = 60.0
# A night has its requests under way answered, and says of itself that it has ended.
NIGHT_GRACE_S = 30.0
_HEAD = {"Content-Type": "application/json"}
# Between tries of a request that met a locked database.
_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

# Leases kept in memory, the default, are lost with the server and crash the run that holds one; small batches cost
# the server 2.5 times as much CPU per task run.
_SERVER = {
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    # 30 days instead of 90: the nights themselves lie in the store, and events are kept for 7.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "2592000",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
}
_CLIENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    # The default, 5, gives up after a minute: so a night outlives a server that is away for eight.
    "PREFECT_CLIENT_MAX_RETRIES": "8",
}


def environment(port: int, home: Path) -> dict[str, str]:
    """What server, worker and clients of this port share, on top of this process's own environment."""
    around = [part for part in (os.environ.get("NO_PROXY"), HOST, "localhost") if part]
    return {
        **os.environ,
        **_SERVER,
        **_CLIENT,
        **exposure.password(os.environ),
        "NO_PROXY": ",".join(around),
        "PREFECT_HOME": str(home),
        # Prefect keeps results under the user's folder whatever PREFECT_HOME says.
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "results"),
        "PREFECT_API_URL": f"http://{HOST}:{port}/api",
    }


def call(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """A request to the server's API: HTTP status and decoded body; status 0 where nothing answers.

    503 is how the server says that its database is locked: asked again, as Prefect's own client does.
    """
    for pause_s in _PAUSES_S:
        status, reply = _call(port, method, path, body)
        if status != 503:
            return status, reply
        time.sleep(pause_s)
    return _call(port, method, path, body)


def _call(port: int, method: str, path: str, body: object) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_S)
    try:
        connection.request(method, f"/api{path}", json.dumps(body), _HEAD | exposure.headers(os.environ))
        reply = connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text else None
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return 0, None
    finally:
        connection.close()


@contextmanager
def server(port: int, home: Path, host: str = HOST) -> Iterator[subprocess.Popen[bytes]]:
    """Prefect's server, healthy; ended with the block.

    Args:
        host: where it listens; this machine asks it over loopback all the same.

    Raises:
        RecipeError: others would reach it, and it has no password.
        WorldError: the port is taken, or the server did not come up; carries the end of its log.
    """
    exposure.refuse_open(host, os.environ)
    _refuse_taken(port)
    command = ["server", "start", "--host", host, "--port", str(port)]
    # Another machine's browser asks whom it got the page from.
    env = environment(port, home) | ({} if exposure.is_loopback(host) else {"PREFECT_SERVER_UI_API_URL": "/api"})
    with _running(command, env, home / "server.log") as process:
        _await(lambda: call(port, "GET", "/health") == (200, True), process, home / "server.log")
        yield process


@contextmanager
def worker(port: int, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the pool, seen by the server; ended with the block, its nights too.

    It runs what it is given at once: a night waits for its turn by itself (blocks/turns.py), and a person who reviews
    or compares waits for no night.

    Raises:
        WorldError: it did not come up; carries the end of its log.
    """

    def seen() -> bool:
        status, pool = call(port, "GET", f"/work_pools/{POOL}")
        return status == 200 and pool["status"] == "READY"

    command = ["worker", "start", "--pool", POOL, "--type", "process"]
    with _running(command, environment(port, home), home / "worker.log", NIGHT_GRACE_S) as process:
        _await(seen, process, home / "worker.log")
        yield process


def deploy(port: int, home: Path, file: Path) -> None:
    """Registers the deployments of a file such as deployments/prefect.yaml; its pool a worker has made.

    Raises:
        WorldError: Prefect refused; carries what it said.
    """
    _prefect(["--no-prompt", "deploy", "--prefect-file", str(file), "--all"], environment(port, home))


def register_blocks(port: int, home: Path) -> None:
    """Puts the forms of our kinds of block (blocks/registered.py) on the server.

    Raises:
        WorldError: Prefect refused; carries what it said.
    """
    _prefect(["block", "register", "--module", "blocks.registered"], environment(port, home))


def home_folder() -> Path:
    """Where Prefect keeps its database, its logs and its results: PREFECT_HOME, else beside the code."""
    return Path(os.environ.get("PREFECT_HOME") or ROOT / ".prefect").resolve()


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as err:
            mend = f"choose another: nightschool up --port {port + 1 if port < 65535 else 4200}"
            if call(port, "GET", "/health") == (200, True):
                mend = f"a Prefect server answers there already; add a worker to it (make worker PORT={port}) or {mend}"
            raise WorldError(f"port {port} of {HOST} cannot be used ({err.strerror}): {mend}") from None


@contextmanager
def _running(
    command: list[str], env: Mapping[str, str], log: Path, grace_s: float = GRACE_S
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as file:
        process = guard.start([sys.executable, "-m", "prefect", *command], env=env, log=file, grace_s=grace_s)
    try:
        yield process
    finally:
        guard.end(process, grace_s=grace_s)


def _await(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while not ready():
        if process.poll() is not None:
            raise WorldError(f"Prefect did not start (exit code {process.returncode}):\n{last_lines(log, 10)}")
        if time.monotonic() > deadline:
            raise WorldError(f"Prefect did not start within {START_LIMIT_S:.0f} s:\n{last_lines(log, 10)}")
        time.sleep(0.2)


def _prefect(command: list[str], env: Mapping[str, str]) -> None:
    words = [sys.executable, "-m", "prefect", *command]
    done = subprocess.run(words, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise WorldError(f"prefect {' '.join(command)} failed:\n{said[-2000:]}")
