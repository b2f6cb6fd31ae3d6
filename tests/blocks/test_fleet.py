"""The fleet with real server processes: up together, gone together, whatever ends the night."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from blocks import pid_file
from blocks.client import Client
from blocks.fleet import Fleet
from blocks.pid_file import PidFile, ProcessId, alive, identify, reap
from blocks.servers import ServerSpec
from nightschool.errors import RecipeError, WorldError
from nightschool.wire import Ask, Endpoint, Message, Reply, Sampling

pytestmark = pytest.mark.integration
_PATIENCE_S = 30.0

_NIGHT = """
import pathlib, sys, time
from blocks.fleet import Fleet
from blocks.servers import ServerSpec
spec = ServerSpec(name="t", engine="scripted", model="t")
Fleet([spec], log_dir=pathlib.Path(sys.argv[1]), on_progress=print).start()
print("up", flush=True)
time.sleep(1000)
"""


def _until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def _gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _spec(name: str = "t", **fields: Any) -> ServerSpec:
    return ServerSpec.model_validate({"name": name, "engine": "scripted", "model": name, **fields})


def _fleet(folder: Path, *specs: ServerSpec) -> Fleet:
    return Fleet(specs, log_dir=folder, on_progress=lambda _: None)


def _pid_file(folder: Path, name: str = "t") -> PidFile:
    return PidFile.model_validate_json((folder / f"{name}.pid.json").read_bytes())


def _ask(client: Client, endpoint: Endpoint, count: int) -> list[Reply]:
    replies: list[Reply] = []
    sampling = Sampling(temperature=0, max_tokens=9)
    asks = [
        Ask(id=str(number), messages=(Message(role="user", content="hello"),), sampling=sampling, seed=number)
        for number in range(count)
    ]
    client.ask_all(endpoint, asks, replies.append, lambda *failure: pytest.fail(str(failure)))
    return replies


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as one:
        yield one


@pytest.fixture
def killed_night(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A night of its own process whose fleet is up."""
    root = Path(pid_file.__file__).parents[1]
    night = subprocess.Popen([sys.executable, "-c", _NIGHT, str(tmp_path)], cwd=root, stdout=subprocess.PIPE)
    assert night.stdout is not None
    while night.stdout.readline() not in (b"up\n", b""):
        pass
    family = alive(_pid_file(tmp_path).server.pid)
    yield night
    night.kill()
    night.wait()
    night.stdout.close()
    for process in family:
        if process.is_running():
            process.kill()


def test_up_together_and_gone_together(tmp_path: Path, client: Client) -> None:
    lines: list[str] = []
    remote = ServerSpec(name="paid", engine="endpoint", model="org/big", urls=("http://h/v1",), key_env="PAID")
    specs = [_spec("a", concurrency=5), _spec("b", request_timeout_s=7), remote]
    with Fleet(specs, log_dir=tmp_path, on_progress=lines.append) as fleet:
        endpoints = fleet.start()
        assert fleet.start() == endpoints
        assert endpoints["paid"] == Endpoint(model="org/big", urls=("http://h/v1",), key_env="PAID", concurrency=32)
        assert (endpoints["a"].concurrency, endpoints["b"].timeout_s) == (5, 7)
        assert all(len(_ask(client, endpoints[name], 3)) == 3 for name in "ab")
        key_env = endpoints["a"].key_env
        assert key_env is not None
        assert len(os.environ[key_env]) == 64
        assert os.environ[key_env] not in (tmp_path / "a.log").read_text()
        assert sorted(fleet.memory()) == ["a", "b"]
        assert min(fleet.memory().values()) > 20e6
        pids = [_pid_file(tmp_path, name).server.pid for name in "ab"]
        families = [process for pid in pids for process in alive(pid)]
        assert len(families) == 4
    assert all(map(_gone, families))
    assert not list(tmp_path.glob("*.pid.json"))
    assert key_env not in os.environ
    assert [line.split(":")[0] for line in lines].count("a") >= 1


def test_a_server_that_dies_in_service_is_started_again(tmp_path: Path, client: Client) -> None:
    script = json.dumps({"behaviour": "echo", "models": {"t": {}}, "die_after": 3})
    with _fleet(tmp_path, _spec(script=script, attempts=1)) as fleet:
        endpoint = fleet.start()["t"]
        with pytest.raises(WorldError, match="t does not answer"):
            _ask_and_lose(client, endpoint)
        _until(lambda: all(map(_gone, alive(_pid_file(tmp_path).server.pid))))
        assert fleet.start()["t"] == endpoint
        assert len(_ask(client, endpoint, 3)) == 3


def _ask_and_lose(client: Client, endpoint: Endpoint) -> None:
    sampling = Sampling(temperature=0, max_tokens=9)
    message = (Message(role="user", content="hello"),)
    asks = (Ask(id=str(number), messages=message, sampling=sampling, seed=number) for number in range(500))
    client.ask_all(endpoint, asks, lambda _: None, lambda *_: None)


def test_a_server_that_ends_early_shows_its_log(tmp_path: Path) -> None:
    with _fleet(tmp_path, _spec(script="{"), _spec("other")) as fleet:
        with pytest.raises(WorldError, match="ended with exit code 2") as failure:
            fleet.start()
        assert "Invalid JSON" in str(failure.value)
        assert str(tmp_path / "t.log") in str(failure.value)


def test_a_server_that_is_not_up_in_time(tmp_path: Path) -> None:
    with _fleet(tmp_path, _spec(startup_timeout_s=0.01)) as fleet:
        with pytest.raises(WorldError, match=r"not healthy after 0\.01 s"):
            fleet.start()
        assert fleet.memory() == {}


def test_stop_ends_a_start_under_way(tmp_path: Path) -> None:
    errors: list[WorldError] = []

    def start() -> None:
        try:
            fleet.start()
        except WorldError as error:
            errors.append(error)

    with _fleet(tmp_path, _spec()) as fleet:
        thread = threading.Thread(target=start)
        thread.start()
        _until((tmp_path / "t.pid.json").exists)
        fleet.stop()
        thread.join(_PATIENCE_S)
    assert len(errors) == 1
    assert not list(tmp_path.glob("*.pid.json"))


def test_two_of_a_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="same name"):
        _fleet(tmp_path, _spec("a", adapters={"b": "x"}), _spec("b"))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with _fleet(tmp_path / "file" / "logs", _spec()) as fleet, pytest.raises(WorldError, match="no folder"):
        fleet.start()


def test_kill_9_of_the_night_leaves_no_server(tmp_path: Path, killed_night: subprocess.Popen[bytes]) -> None:
    family = alive(_pid_file(tmp_path).server.pid)
    assert len(family) == 2
    killed_night.kill()
    _until(lambda: all(map(_gone, family)))
    killed_night.wait()
    assert reap(tmp_path) == []
    assert not list(tmp_path.glob("*.pid.json"))


def test_what_a_killed_night_left_is_reaped(
    tmp_path: Path, killed_night: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pid_file, "_ORDERLY_END_S", 0.5)
    guard, server = alive(_pid_file(tmp_path).server.pid)
    assert reap(tmp_path) == []
    guard.send_signal(signal.SIGSTOP)
    killed_night.kill()
    killed_night.wait()
    assert not _gone(server)
    assert reap(tmp_path) == ["t"]
    assert _gone(server)
    assert _gone(guard)
    assert not list(tmp_path.glob("*.pid.json"))


def test_an_orphan_is_known_by_its_mark(tmp_path: Path) -> None:
    gone = ProcessId(pid=2**22 - 1, create_time=1.0)
    orphan = subprocess.Popen(["sleep", "1000"], env={**os.environ, PidFile.VARIABLE: "the mark"})
    bystander = subprocess.Popen(["sleep", "1000"])
    _until(lambda: psutil.Process(orphan.pid).name() == "sleep")
    try:
        PidFile(server=gone, owner=gone, mark="the mark").write(tmp_path / "t.pid.json")
        assert reap(tmp_path) == ["t"]
        orphan.wait(_PATIENCE_S)
        assert bystander.poll() is None
    finally:
        orphan.kill()
        bystander.kill()
        orphan.wait()
        bystander.wait()


def test_a_pid_that_came_again_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        earlier = ProcessId(pid=stranger.pid, create_time=identify(stranger.pid).create_time - 100)
        PidFile(server=earlier, owner=earlier, mark="x").write(tmp_path / "t.pid.json")
        (tmp_path / "torn.pid.json").write_text('{"server": ')
        assert reap(tmp_path) == []
        assert stranger.poll() is None
        assert not list(tmp_path.glob("*.pid.json"))
    finally:
        stranger.kill()
        stranger.wait()
