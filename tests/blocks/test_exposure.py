"""Prefect's server for this machine alone, or behind a password; nothing phones home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from blocks import exposure, prefect_server, telemetry
from blocks.servers import ServerSpec, environment
from nightschool.errors import RecipeError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("host", "inside"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("10.0.0.7", False), ("somewhere", False), ("", False)],
)  # fmt: skip
def test_who_is_reached_by_this_machine_alone(host: str, inside: bool) -> None:
    assert exposure.is_loopback(host) is inside
    exposure.refuse_open(host, {"PREFECT_SERVER_API_AUTH_STRING": "me:secret"})
    if inside:
        exposure.refuse_open(host, {})
    else:
        with pytest.raises(RecipeError, match="set a password"):
            exposure.refuse_open(host, {})


def test_an_open_server_is_not_started(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if "AUTH" not in name}
    command = [sys.executable, "-m", "flows.cli", "up", "--host", "0.0.0.0", "--port", "1"]
    env |= {"PREFECT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "PREFECT_SERVER_API_AUTH_STRING" in done.stderr
    assert not (tmp_path / "home").exists()


def test_clients_know_the_password_of_the_server_that_they_came_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "me:secret")
    monkeypatch.delenv("PREFECT_API_AUTH_STRING", raising=False)
    assert prefect_server.environment(4200, Path("home"))["PREFECT_API_AUTH_STRING"] == "me:secret"
    assert exposure.headers(os.environ) == {"Authorization": "Basic bWU6c2VjcmV0"}
    assert exposure.headers({}) == {}


def test_nothing_phones_home_unless_told_to() -> None:
    """In a process of ours, and in what it starts."""
    bare = {name: value for name, value in os.environ.items() if name not in telemetry.OFF}
    look = f"import json, os, flows.cli; print(json.dumps({{n: os.environ.get(n) for n in {list(telemetry.OFF)}}}))"
    bare["RAY_USAGE_STATS_ENABLED"] = "1"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, env=bare, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == telemetry.OFF | {"RAY_USAGE_STATS_ENABLED": "1"}
    served = environment(ServerSpec(name="a", engine="vllm", model="m"), "key")
    assert {"DO_NOT_TRACK", "VLLM_NO_USAGE_STATS", "HF_HUB_DISABLE_TELEMETRY"} <= set(served)
    assert prefect_server.environment(4200, Path("home"))["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
