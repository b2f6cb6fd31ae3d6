"""Two Prefect servers behind one PostgreSQL, a worker at each: a night fails on one, and its retry ends well."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from blocks import guard, prefect_server
from blocks.server_process import free_port
from tests.half_night import maker
from tests.integration.brought_up import asked, until
from tests.integration.postgres import postgres

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]
PATIENCE_S = 300.0
NO_STUDENT = ("student=null", "sft=null", "validate=null", "questions=null")
DEPLOYMENT = {"name": "night", "entrypoint": "flows/night.py:night", "work_pool": {"name": prefect_server.POOL}}


@contextmanager
def redis(folder: Path) -> Iterator[int]:
    """A Redis of the test's own on loopback, which keeps nothing: its port."""
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        pytest.skip("Redis is not installed (Debian: apt-get install redis-server)")
    how = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        started = guard.start([program, *how], log=log)
    try:
        yield port
    finally:
        guard.end(started)


@contextmanager
def second_server(home: Path) -> Iterator[int]:
    """A server that only answers: schedules and the like are the first one's. Its port."""
    port = free_port()
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port), "--no-services"]
    with (home / "second.log").open("wb") as log:
        started = guard.start(command, env=prefect_server.environment(port, home), log=log)
    try:
        until(PATIENCE_S, lambda: prefect_server.call(port, "GET", "/health") == (200, True))
        yield port
    finally:
        guard.end(started)


@pytest.fixture
def ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """Both servers, with what Prefect asks for where there are several."""
    pytest.importorskip("prefect_redis")
    with ExitStack() as stack:
        for name in ("PREFECT_MESSAGING_BROKER", "PREFECT_MESSAGING_CACHE"):
            monkeypatch.setenv(name, "prefect_redis.messaging")
        monkeypatch.setenv("PREFECT_SERVER_EVENTS_CAUSAL_ORDERING", "prefect_redis.ordering")
        port = stack.enter_context(redis(tmp_path))
        monkeypatch.setenv("PREFECT_REDIS_MESSAGING_PORT", str(port))
        monkeypatch.setenv("PREFECT_SERVER_DOCKET_URL", f"redis://127.0.0.1:{port}/0")
        monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", stack.enter_context(postgres()))
        home, first = tmp_path / "prefect", free_port()
        home.mkdir()
        stack.enter_context(prefect_server.server(first, home))
        yield first, stack.enter_context(second_server(home))


def test_a_night_fails_beside_one_server_and_its_retry_ends_well_beside_the_other(
    ports: tuple[int, int], tmp_path: Path
) -> None:
    first, second = ports
    night = maker(tmp_path)(*NO_STUDENT)
    blocked = tmp_path / "runs/answers" / night.keys["answers/bruno"] / "chunk-00000.rows.jsonl.zst"
    blocked.mkdir(parents=True)
    file = tmp_path / "prefect.yaml"
    file.write_text(yaml.safe_dump({"name": "nightschool", "deployments": [DEPLOYMENT]}))

    with worker(first, tmp_path / "one") as home:
        prefect_server.deploy(first, home, file)
        deployment = asked(first, "GET", "/deployments/name/night/night")["id"]
        fields = {"parameters": {"recipe": str(tmp_path / "recipe.yaml"), "sets": list(NO_STUDENT)},
                  "enforce_parameter_schema": False}  # fmt: skip
        run = asked(second, "POST", f"/deployments/{deployment}/create_flow_run", fields)["id"]
        assert ended(second, run) == "FAILED"
    blocked.rmdir()
    with worker(second, tmp_path / "two"):
        again = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": False}
        assert asked(first, "POST", f"/flow_runs/{run}/set_state", again)["status"] == "ACCEPT"
        until(PATIENCE_S, lambda: state(first, run) not in ("FAILED", "SCHEDULED", "PENDING"))
        assert ended(first, run) == "COMPLETED"
    assert asked(second, "GET", f"/flow_runs/{run}")["run_count"] == 2
    assert (tmp_path / "runs/nights/first-half/report.json").is_file()


@contextmanager
def worker(port: int, home: Path) -> Iterator[Path]:
    home.mkdir()
    with prefect_server.worker(port, home):
        yield home


def state(port: int, run: str) -> str:
    return asked(port, "GET", f"/flow_runs/{run}")["state"]["type"]


def ended(port: int, run: str) -> str:
    """The run's last state, once it has one."""
    until(PATIENCE_S, lambda: state(port, run) in ("COMPLETED", "FAILED", "CRASHED"))
    return state(port, run)
