"""From a port to Prefect on loopback: server, worker and the night's form, until told to stop."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from blocks import guard
from blocks.process import last_lines
from nightschool.errors import NightError, WorldError

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
POOL = "nightschool"
DEPLOYMENT = "night/nightschool"
START_LIMIT_S = 300.0
GRACE_S = 10.0
# Between tries of a request that met a locked database.
_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)

# Leases kept in memory, the default, are lost with the server and crash the run that holds one; small batches cost
# the server 2.5 times as much CPU per task run.
_SERVER = {
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
}
_CLIENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
}


def environment(port: int, home: Path) -> dict[str, str]:
    """What server, worker and clients of this port share, on top of this process's own environment."""
    around = [part for part in (os.environ.get("NO_PROXY"), HOST, "localhost") if part]
    return {
        **os.environ,
        **_SERVER,
        **_CLIENT,
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
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request(method, f"/api{path}", json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text else None
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return 0, None
    finally:
        connection.close()


@contextmanager
def server(port: int, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Prefect's server, healthy; ended with the block.

    Raises:
        WorldError: the port is taken, or the server did not come up; carries the end of its log.
    """
    _refuse_taken(port)
    command = ["server", "start", "--host", HOST, "--port", str(port)]
    with _running(command, environment(port, home), home / "server.log") as process:
        _await(lambda: call(port, "GET", "/health") == (200, True), process, home / "server.log")
        yield process


@contextmanager
def worker(port: int, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the pool that runs one night at a time, seen by the server; ended with the block, its night too.

    Raises:
        WorldError: it did not come up; carries the end of its log.
    """

    def seen() -> bool:
        status, pool = call(port, "GET", f"/work_pools/{POOL}")
        return status == 200 and pool["status"] == "READY"

    command = ["worker", "start", "--pool", POOL, "--type", "process", "--limit", "1"]
    with _running(command, environment(port, home), home / "worker.log") as process:
        _await(seen, process, home / "worker.log")
        yield process


def deploy(port: int, home: Path) -> str:
    """Register deployments/prefect.yaml, whose pool the worker made; the address of the night's form.

    Raises:
        WorldError: Prefect refused; carries what it said.
    """
    env = environment(port, home)
    _prefect(["--no-prompt", "deploy", "--prefect-file", "deployments/prefect.yaml", "--all"], env)
    status, deployment = call(port, "GET", f"/deployments/name/{DEPLOYMENT}")
    if status != 200:
        raise WorldError(f"the server does not know the deployment {DEPLOYMENT} (HTTP status {status})")
    return f"http://{HOST}:{port}/deployments/deployment/{deployment['id']}/run"


def run(port: int, home: Path, *, say: Callable[[str], None]) -> None:
    """Server, deployment and worker until Ctrl-C or SIGTERM; nothing is left running.

    Raises:
        WorldError: one of them did not come up, or ended by itself.
    """
    # Set anew: a shell starts background jobs with Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    home.mkdir(parents=True, exist_ok=True)
    say(f"Starting Prefect on http://{HOST}:{port} (half a minute) ...")
    try:
        with server(port, home) as serving, worker(port, home) as working:
            say(f"Start a night:  {deploy(port, home)}\n                choose a recipe, press Submit")
            say(f"Watch nights:   http://{HOST}:{port}/runs\nLogs:           {home}/*.log\nCtrl-C stops all.")
            _until_one_ends({home / "server.log": serving, home / "worker.log": working})
    except KeyboardInterrupt:
        say("Stopped.")


def _until_one_ends(running: Mapping[Path, subprocess.Popen[bytes]]) -> NoReturn:
    while True:
        for log, process in running.items():
            if process.poll() is not None:
                raise WorldError(f"Prefect ended by itself (exit code {process.returncode}):\n{last_lines(log, 5)}")
        time.sleep(0.5)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as err:
            mend = f"choose another: make server PORT={port + 1 if port < 65535 else 4200}"
            if call(port, "GET", "/health") == (200, True):
                mend = f"a Prefect server answers there already; add a worker to it (make worker PORT={port}) or {mend}"
            raise WorldError(f"port {port} of {HOST} cannot be used ({err.strerror}): {mend}") from None


@contextmanager
def _running(command: list[str], env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = guard.start([sys.executable, "-m", "prefect", *command], env=env, log=file, grace_s=GRACE_S)
    try:
        yield process
    finally:
        guard.end(process, grace_s=GRACE_S)


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


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """`python -m blocks.prefect_server [--port 4200]`: exit code 0 when stopped, 3 when it could not run."""
    parser = argparse.ArgumentParser(prog="blocks.prefect_server", description=__doc__)
    parser.add_argument("--port", type=int, default=4200)
    given = parser.parse_args()
    home = Path(os.environ.get("PREFECT_HOME") or ROOT / ".prefect")
    try:
        run(given.port, home, say=_say)
    except NightError as err:
        sys.stderr.write(f"{err}\n")
        return err.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
