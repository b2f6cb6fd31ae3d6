"""The night on a Prefect server of its own: started from its form's fields, seen running, and nothing left after."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page

from blocks import prefect_server
from blocks.server_process import free_port
from nightschool.recipe.load import find_recipe, load_recipe
from tasks.night import Night

ROOT = Path(__file__).parents[2]
STARTED = "Ctrl-C stops all."
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[str]
    port: int

    def get(self, method: str, path: str, body: object = None):
        status, reply = prefect_server.call(self.port, method, path, body)
        assert status in (200, 201, 204), f"{method} {path}: {status} {reply}"
        return reply


def until(limit_s: float, ready: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := ready()):
        assert time.monotonic() < deadline, f"not within {limit_s} s"
        time.sleep(0.5)
    return found


def command(port: int) -> list[str]:
    return [sys.executable, "-m", "blocks.prefect_server", "--port", str(port)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    env = {**os.environ, "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect"))}
    port = free_port()
    process = subprocess.Popen(command(port), cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if STARTED in line:
            break
    assert said[-1:] == [f"{STARTED}\n"], f"did not start: {said}"
    yield Running(process, port)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def test_the_form_offers_the_recipes(running):
    deployment = running.get("GET", f"/deployments/name/{prefect_server.DEPLOYMENT}")
    fields = deployment["parameter_openapi_schema"]["properties"]
    assert set(fields) == {"recipe", "profile", "sets", "name", "accept_stale"}
    assert {field["type"] for field in fields.values()} == {"string", "array"}, "each is a plain box of the form"
    assert {"none", "tiny"} <= set(fields["profile"]["enum"])
    assert "answers" in fields["accept_stale"]["items"]["enum"]
    assert {"quickstart", "smoke"} <= set(fields["recipe"]["enum"])
    assert all(field.get("description") for field in fields.values())
    form = http.client.HTTPConnection(prefect_server.HOST, running.port, timeout=10)
    form.request("GET", f"/deployments/deployment/{deployment['id']}/run")
    assert form.getresponse().status == 200


def test_a_schedule_makes_runs(running):
    """Fails with SQLAlchemy 2.1, where Prefect's scheduler dies and says nothing."""
    of_deployment = f"/deployments/{running.get('GET', f'/deployments/name/{prefect_server.DEPLOYMENT}')['id']}"
    nightly = {"schedule": {"cron": "0 1 * * *", "timezone": "UTC"}, "active": True}
    made = running.get("POST", f"{of_deployment}/schedules", [nightly])
    scheduled = {"flow_runs": {"state": {"name": {"any_": ["Scheduled"]}}}}
    until(120, lambda: running.get("POST", "/flow_runs/filter", scheduled))
    running.get("DELETE", f"{of_deployment}/schedules/{made[0]['id']}")


def test_a_night_from_the_form_fails_in_one_chunk_and_the_retry_button_redoes_just_that(running, page, tmp_path):
    sets = [f"store={json.dumps(str(tmp_path))}"]
    night = Night.plan(load_recipe(find_recipe("smoke"), sets=sets), "from-the-form")
    # A folder where the chunk's rows are to be: nothing that the night itself could mend.
    blocked = tmp_path / "answers" / night.keys["answers/bruno"] / "chunk-00000.rows.jsonl.zst"
    blocked.mkdir(parents=True)
    deployment = running.get("GET", f"/deployments/name/{prefect_server.DEPLOYMENT}")
    fields = {"recipe": "smoke", "sets": sets, "name": "from-the-form"}
    run = running.get("POST", f"/deployments/{deployment['id']}/create_flow_run", {"parameters": fields})["id"]
    assert ended(running, run) == "FAILED"
    see_chunks(running, run, Counter(Completed=5, Failed=1))
    failures = json.loads((tmp_path / "nights/from-the-form/report.json").read_text())["failures"]
    assert [(one["phase"], one["command"].split()[-6:-2]) for one in failures] == [
        ("answers", ["--phase", "answers", "--chunk", "2"])
    ]

    blocked.rmdir()
    press_retry(running, run, page)
    until(60, lambda: state_of(running, run) not in ("FAILED", "SCHEDULED", "PENDING"))
    assert ended(running, run) == "COMPLETED"
    see_chunks(running, run, Counter(Completed=6, Cached=5, Failed=1))
    report = json.loads((tmp_path / "nights/from-the-form/report.json").read_text())
    assert phases_seen(running, run) >= {phase["name"] for phase in report["phases"] if phase["chunks"]}
    assert {phase["name"]: phase["cached_chunks"] for phase in report["phases"]}["answers"] == 5


def state_of(running: Running, run: str) -> str:
    return running.get("GET", f"/flow_runs/{run}")["state"]["type"]


def ended(running: Running, run: str) -> str:
    """The run's last state, once it has one."""
    final = ("COMPLETED", "FAILED", "CRASHED")
    return until(400, lambda: state if (state := state_of(running, run)) in final else None)


def subflows(running: Running, run: str) -> list[dict[str, Any]]:
    """The runs of a night's phases: a subflow is a task run of the night, with a run of its own behind it."""
    tasks = running.get("POST", "/task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
    behind = {"flow_runs": {"parent_task_run_id": {"any_": [task["id"] for task in tasks]}}}
    return running.get("POST", "/flow_runs/filter", behind)


def phases_seen(running: Running, run: str) -> set[str]:
    return {phase["name"].split()[0] for phase in subflows(running, run)}


def see_chunks(running: Running, run: str, expected: Counter[str]) -> None:
    """How the chunks of `answers` ended, over all runs of the phase; Prefect records each a little later."""

    def states() -> Counter[str]:
        of_phase = [phase["id"] for phase in subflows(running, run) if phase["name"].startswith("answers")]
        chunks = running.get("POST", "/task_runs/filter", {"flow_runs": {"id": {"any_": of_phase}}})
        return Counter(chunk["state_name"] for chunk in chunks)

    until(60, lambda: states() == expected)


def press_retry(running: Running, run: str, page: Page) -> None:
    page.goto(f"http://{prefect_server.HOST}:{running.port}/runs/flow-run/{run}")
    page.get_by_role("button", name="Retry").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    page.get_by_text("AwaitingRetry").or_(page.get_by_text("Running")).first.wait_for()
    if shots := os.environ.get("NIGHTSCHOOL_SHOTS"):
        page.screenshot(path=Path(shots) / "retry.png")


def test_a_taken_port_is_named_with_what_to_do(running):
    done = subprocess.run(command(running.port), cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert f"port {running.port}" in done.stderr
    assert "make server PORT=" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_leaves_nothing_running(running):
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert children
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 0
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((prefect_server.HOST, running.port))
