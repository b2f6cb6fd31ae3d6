"""The night on a Prefect server of its own: started from its form's fields, seen running, and nothing left after."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from blocks import prefect_server
from tasks.ledger import last_run
from tests.blocks.fleets import gone
from tests.integration.brought_up import Running, command, press, until

ROOT = Path(__file__).parents[2]
NIGHT = "night/night"
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1200)]


def test_a_scheduled_night_is_begun_by_the_server_itself(running, tmp_path):
    """Fails with SQLAlchemy 2.1, where Prefect's scheduler dies and says nothing."""
    now = datetime.now(UTC)
    opens = now + timedelta(minutes=1 if now.second < 10 else 2)  # a full minute that the server can't miss
    window = f"window={{start: '{opens:%H:%M}', end: '{opens + timedelta(hours=2):%H:%M}'}}"
    without = ("student=null", "sft=null", "pairs=null", "dpo=null", "validate=null", "package=null", "gates=[]")
    sets = [word for one in (window, f"store={json.dumps(str(tmp_path))}", *without) for word in ("--set", one)]
    assert "in its window" in nightschool(running, "schedule", "smoke", *sets)
    assert "in its window" in nightschool(running, "schedule", "smoke", *sets), "again: in place of the first"
    [listed] = json.loads(nightschool(running, "schedule", "--json"))
    assert listed["fields"]["name"] == "smoke-{evening}"
    report = until(300, lambda: next(iter(tmp_path.glob("nights/*/report.json")), None))
    assert report.parent.name == f"smoke-{opens:%Y-%m-%d}"
    found = running.get("POST", "/flow_runs/filter", {})
    begun = [run for run in found if run["start_time"] and run["parameters"].get("name") == "smoke-{evening}"]
    assert [run["auto_scheduled"] for run in begun] == [True]
    assert running.ended(begun[0]["id"]) == "COMPLETED"
    nightschool(running, "schedule", "smoke", "--remove")
    assert json.loads(nightschool(running, "schedule", "--json")) == []


def nightschool(running: Running, *words: str) -> str:
    env = {**os.environ, "PREFECT_API_URL": f"http://{prefect_server.HOST}:{running.port}/api"}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# Rows alone, of teachers that take their time.
SLOW = (
    "school=null", "student=null", "questions=null", "balance=null", "sft=[]", "pairs=null", "dpo=[]", "validate=null",
    "package=null", "gates=[]", "pool.per_topic=24", "serve.concurrency=4", "serve.engine=scripted",
)  # fmt: skip


def begin_slowly(running: Running, store: Path, name: str, latency_s: float = 0.4) -> str:
    script = f"teachers.0.script={{models: {{alba: {{latency_s: {{mean: {latency_s}}}}}}}}}"
    sets = [f"store={json.dumps(str(store))}", script, *SLOW]
    return running.start(NIGHT, {"recipe": "smoke", "sets": sets, "name": name})


def amid_answers(store: Path, name: str) -> psutil.Process:
    """The night's process, once it has replies."""
    until(300, lambda: list(store.glob("answers/*/*.journal.jsonl")))
    return process_of(store, name)


def process_of(store: Path, name: str) -> psutil.Process:
    return psutil.Process(json.loads((store / "nights" / name / "running.json").read_text())["pid"])


def states_of(running: Running, run: str) -> dict[str, str]:
    return {one["name"]: one["message"] for one in running.get("GET", f"/flow_run_states/?flow_run_id={run}")}


def test_a_night_that_is_killed_goes_on_by_itself(running, tmp_path):
    run = begin_slowly(running, tmp_path, "killed")
    amid_answers(tmp_path, "killed").kill()
    until(300, lambda: running.state(run) == "CRASHED")
    until(300, lambda: running.state(run) == "COMPLETED")
    assert states_of(running, run)["AwaitingRetry"].startswith("resumed after a crash, 1/3: ")


def test_cancel_in_the_browser_ends_a_night_and_retry_goes_on_with_it(running, page, tmp_path):
    run = begin_slowly(running, tmp_path, "cancelled", latency_s=1.5)
    page.goto(running.page(f"/runs/flow-run/{run}"))
    process = amid_answers(tmp_path, "cancelled")
    family = [process, *process.children(recursive=True)]
    assert len(family) > 3, "its model servers"
    press(page, "Cancel", lambda: running.state(run) in ("CANCELLING", "CANCELLED"), confirm="Confirm")
    until(180, lambda: all(map(gone, family)))
    until(180, lambda: running.state(run) == "CANCELLED")
    assert str(last_run(tmp_path / "nights/cancelled").stopped_by).startswith("cancelled in Prefect")
    press(page, "Retry", lambda: running.state(run) != "CANCELLED")
    until(300, lambda: running.state(run) == "COMPLETED")


def test_a_taken_port_is_named_with_what_to_do(running):
    done = subprocess.run(command(running.port), cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 3
    assert f"port {running.port}" in done.stderr
    assert "nightschool up --port" in done.stderr
    assert "Traceback" not in done.stderr
