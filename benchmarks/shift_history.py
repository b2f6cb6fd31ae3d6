"""Fills a Prefect server and a store with nights, the newest of many chunks; times pages and commands, sizes nights.

The nights are recorded as real ones are: a run with a run of a phase below it, and a task run for each chunk; the
chunks do nothing. The pages are those that a person opens, in Chromium where there is one, and the requests that they
make.

    python -m benchmarks.shift_history [--nights 40] [--small 25] [--chunks 1000]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL, temporary_settings

from benchmarks.status import many_chunks
from blocks import prefect_server
from blocks.server_process import free_port
from flows.history import forget
from tests.nightschool.example_report import example

LIMIT_S = 2.0
QUIET_S = 0.5
RECORD = """
import sys
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.task_runners import ThreadPoolTaskRunner

@task(cache_policy=NO_CACHE, task_run_name="answers {number}")
def chunk(number): ...

@flow(task_runner=ThreadPoolTaskRunner(max_workers=16), flow_run_name="answers")
def answers(count):
    [future.wait() for future in chunk.map(list(range(count)))]

@flow(flow_run_name="{name}")
def night(name, count):
    answers(count)
    create_markdown_artifact("x" * 20_000, key="report")

with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
    for number in range(int(sys.argv[1])):
        night(f"night-{number}", int(sys.argv[2]))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=40)
    parser.add_argument("--small", type=int, default=25, help="chunks of each of these nights")
    parser.add_argument("--chunks", type=int, default=1000, help="chunks of the newest night")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shift-history-", ignore_cleanup_errors=True) as folder:
        return measure(Path(folder), options.nights, options.small, options.chunks)


def measure(folder: Path, nights: int, small: int, chunks: int) -> int:
    port, home = free_port(), folder / "prefect"
    home.mkdir()
    ask = partial(prefect_server.call, port)
    with prefect_server.server(port, home):
        empty = size(home)
        record(port, home, nights, small, ask)
        history = size(home)
        record(port, home, 1, chunks, ask)
        full = size(home)
        print(f"a night of {small:,} chunks adds {(history - empty) / nights / 1e6:.1f} MB to the database, "
              f"one of {chunks:,} chunks {(full - history) / 1e6:.1f} MB")  # fmt: skip
        took = [*pages(port, ask), *commands(folder, nights, chunks)]
        with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}):
            gone = forget(datetime.now(UTC))
        again = size(home)
        record(port, home, 1, chunks, ask)
        print(f"forgotten: {gone} runs; {full / 1e6:.0f} MB, then {again / 1e6:.0f} MB, after another night "
              f"{size(home) / 1e6:.0f} MB: room that is free is used again")  # fmt: skip
    for what, seconds in took:
        print(f"  {seconds:6.2f} s  {what}{'' if seconds <= LIMIT_S else '  TOO SLOW'}")
    return 1 if any(seconds > LIMIT_S for _, seconds in took) else 0


def record(port: int, home: Path, nights: int, chunks: int, ask: Callable[..., tuple[int, Any]]) -> None:
    """Nights in the server's history, all of their task runs on file."""
    command = [sys.executable, "-c", RECORD, str(nights), str(chunks)]
    env = prefect_server.environment(port, home)
    subprocess.run(command, env=env, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    wanted = {"flow_runs": {"name": {"any_": ["answers"]}}, "task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    before = -1
    while (now := ask("POST", "/task_runs/count", wanted)[1]) != before:
        before = now
        time.sleep(2)


def size(home: Path) -> int:
    """Bytes of the database with its journal."""
    return sum(path.stat().st_size for path in home.glob("prefect.db*"))


def pages(port: int, ask: Callable[..., tuple[int, Any]]) -> list[tuple[str, float]]:
    newest = {"sort": "START_TIME_DESC", "limit": 1, "flow_runs": {"name": {"like_": "night-"}}}
    night = ask("POST", "/flow_runs/filter", newest)[1][0]
    here = f"runs/flow-run/{night['id']}"
    found = {"the dashboard": "dashboard", "all runs": "runs", "a night": here}
    found |= {f"its {tab.lower()}": f"{here}?tab={tab}" for tab in ("Artifacts", "Task+Runs", "Logs")}
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        return requests(night["id"], ask)
    from playwright.sync_api import sync_playwright

    took = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"http://127.0.0.1:{port}/settings", wait_until="networkidle")  # the page's own code, once
        for what, path in found.items():
            began = time.monotonic()
            # Until nothing was asked for half a second.
            page.goto(f"http://127.0.0.1:{port}/{path}", wait_until="networkidle")
            took.append((f"page: {what}", time.monotonic() - began - QUIET_S))
        browser.close()
    return took + requests(night["id"], ask)


def requests(night: str, ask: Callable[..., tuple[int, Any]]) -> list[tuple[str, float]]:
    """What the pages ask the server, one by one."""
    of_night = {"flow_runs": {"id": {"any_": [night]}}}
    since = {"since": "2020-01-01T00:00:00Z"}
    asked = {
        "newest runs": ("POST", "/flow_runs/paginate", {"sort": "START_TIME_DESC", "limit": 50}),
        "count of task runs": ("POST", "/task_runs/count", {}),
        "graph of a night": ("GET", f"/flow_runs/{night}/graph-v2?since={since['since']}", None),
        "logs of a night": ("POST", "/logs/filter", {"logs": {"flow_run_id": {"any_": [night]}}, "limit": 200}),
        "task runs of a night": ("POST", "/task_runs/filter", {**of_night, "limit": 50}),
        "artifacts": ("POST", "/artifacts/latest/filter", {}),
    }
    took = []
    for what, request in asked.items():
        began = time.monotonic()
        status, _ = ask(*request)
        took.append((f"{what} (HTTP status {status})", time.monotonic() - began))
    return took


def commands(folder: Path, nights: int, chunks: int) -> list[tuple[str, float]]:
    """`nightschool status`, of all nights and of one."""
    first = many_chunks(folder, chunks)
    report = example().model_dump_json()
    for number in range(nights):
        night = first.dir.with_name(f"night-{number}")
        shutil.copytree(first.dir, night)
        (night / "report.json").write_text(report)
    store = ["--store", str(first.store.root)]
    took = []
    for what, words in (("nightschool status", []), (f"nightschool status of {chunks:,} chunks", [first.name])):
        began = time.monotonic()
        command = [sys.executable, "-m", "flows.cli", "status", *words, *store]
        subprocess.run(command, check=True, capture_output=True, env=os.environ)
        took.append((what, time.monotonic() - began))
    return took


if __name__ == "__main__":
    sys.exit(main())
