"""The fleet with real server processes: up together, gone together, whatever ends the night."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path

import pytest

from blocks.client import Client
from blocks.fleet import Fleet
from blocks.fleet_key import one_key
from blocks.pid_file import alive
from blocks.servers import ServerSpec
from nightschool.errors import RecipeError, WorldError
from nightschool.wire import Endpoint
from tests.blocks.fleets import PATIENCE_S, ask, fleet_of, gone, pid_file_of, spec_with, stats, until

pytestmark = pytest.mark.integration


def test_up_together_andgone_together(tmp_path: Path, client: Client) -> None:
    lines: list[str] = []
    remote = ServerSpec(name="paid", engine="endpoint", model="org/big", urls=("http://h/v1",), key_env="PAID")
    specs = [spec_with("a", concurrency=5), spec_with("b", request_timeout_s=7), remote]
    with Fleet(specs, log_dir=tmp_path, on_progress=lines.append) as fleet:
        endpoints = fleet.start()
        assert fleet.start() == endpoints
        assert endpoints["paid"] == Endpoint(model="org/big", urls=("http://h/v1",), key_env="PAID", concurrency=32)
        assert (endpoints["a"].concurrency, endpoints["b"].timeout_s) == (5, 7)
        assert all(len(ask(client, endpoints[name], 3)) == 3 for name in "ab")
        key_env = endpoints["a"].key_env
        assert key_env is not None
        assert len(os.environ[key_env]) == 64
        assert os.environ[key_env] not in (tmp_path / "a.log").read_text()
        assert sorted(fleet.memory()) == ["a", "b"]
        assert min(fleet.memory().values()) > 20e6
        pids = [pid_file_of(tmp_path, name).server.pid for name in "ab"]
        families = [process for pid in pids for process in alive(pid)]
        assert len(families) == 4
    assert all(map(gone, families))
    assert not list(tmp_path.glob("*.pid.json"))
    assert key_env not in os.environ
    assert [line.split(":")[0] for line in lines].count("a") >= 1


def test_replicas_share_the_work_and_each_has_its_own(tmp_path: Path, client: Client) -> None:
    script = json.dumps({"behaviour": "echo", "models": {"t": {"latency_s": {"mean": 0.02}}}})
    with fleet_of(tmp_path, spec_with(replicas=3, concurrency=2, script=script)) as fleet:
        endpoint = fleet.start()["t"]
        assert len(set(endpoint.urls)) == 3
        assert sorted(reply.id for reply in ask(client, endpoint, 30)) == sorted(map(str, range(30)))
        assert sorted(fleet.memory()) == ["t-0", "t-1", "t-2"]
        assert len({pid_file_of(tmp_path, f"t-{number}").server.pid for number in range(3)}) == 3
        assert all(stats(url)["total"] for url in endpoint.urls)


def test_a_server_that_ends_early_shows_its_log(tmp_path: Path) -> None:
    with fleet_of(tmp_path, spec_with(script="{"), spec_with("other")) as fleet:
        with pytest.raises(WorldError, match="ended with exit code 2") as failure:
            fleet.start()
        assert "Invalid JSON" in str(failure.value)
        assert str(tmp_path / "t.log") in str(failure.value)


def test_a_server_that_is_not_up_in_time(tmp_path: Path) -> None:
    with fleet_of(tmp_path, spec_with(startup_timeout_s=0.01)) as fleet:
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

    with fleet_of(tmp_path, spec_with()) as fleet:
        thread = threading.Thread(target=start)
        thread.start()
        until((tmp_path / "t.pid.json").exists)
        fleet.stop()
        thread.join(PATIENCE_S)
    assert len(errors) == 1
    assert not list(tmp_path.glob("*.pid.json"))


def test_two_of_a_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="same name"):
        fleet_of(tmp_path, spec_with("a", adapters={"b": "x"}), spec_with("b"))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with fleet_of(tmp_path / "file" / "logs", spec_with()) as fleet, pytest.raises(WorldError, match="no folder"):
        fleet.start()


def test_processes_started_before_the_servers_know_their_key_while_it_is_one(tmp_path: Path) -> None:
    with one_key():
        told = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
        with Fleet([spec_with("a")], log_dir=tmp_path, on_progress=lambda line: None) as fleet:
            key_env = fleet.start()["a"].key_env
            assert f"{key_env}={os.environ[str(key_env)]}" in told.splitlines()
        assert str(key_env) in os.environ, "the next servers have it too"
    assert str(key_env) not in os.environ
