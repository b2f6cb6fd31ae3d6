"""What can be started beside a night, each run by a real worker on one small store; and a server that lost it all."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from playwright.sync_api import Page, expect

from blocks import prefect_server
from blocks.decisions import Decisions
from blocks.picked import MANIFEST
from nightschool.report.figures import Report
from tasks import review
from tasks.night import Night
from tasks.steps import STEPS
from tests.half_night import maker
from tests.integration.brought_up import FINAL, ROOT, Running, Up, answer, field, shoot, submit, until

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1800)]
# Rows alone, some of which wait for a person.
SETS = (
    "student=null",
    "sft=null",
    "validate=null",
    "committee.verifier=none",
    "committee.to_review=[tie]",
    "review=skip",
)


@pytest.fixture(scope="module")
def folder(up: Up, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights that a worker ran, on one store."""
    folder = tmp_path_factory.mktemp("runs")
    maker(folder)(*SETS)
    seeds = {"monday": 7, "tuesday": 8}
    recipe = str(folder / "recipe.yaml")
    runs = [
        up.running().start("night/night", {"recipe": recipe, "sets": [*SETS, f"seed={seed}"], "name": name})
        for name, seed in seeds.items()
    ]
    assert [up.running().ended(run) for run in runs] == ["COMPLETED", "COMPLETED"]
    return folder


@pytest.fixture
def monday(folder: Path) -> Night:
    return Night.open(str(folder / "runs"), "monday")


def artifacts(running: Running, run: str) -> set[str]:
    found = running.get("POST", "/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})
    return {one["key"] for one in found}


def decisions(night: Night) -> list[tuple[str, str | None, str]]:
    return [(one.action, one.answer, one.who) for one in Decisions(night.store).read()]


def sit(running: Running, page: Page, deployment: str, night: Night) -> str:
    """A run whose first form is up, on its page."""
    run = running.start(deployment, {"night": night.name, "store": str(night.store.root)})
    until(300, lambda: running.state(run) in ("PAUSED", *FINAL))
    page.goto(running.page(f"/runs/flow-run/{run}"))
    return run


def test_a_verdict_of_a_spot_check_is_given_in_the_browser(running: Running, page: Page, monday: Night) -> None:
    run = sit(running, page, "spot-check/spot-check", monday)
    answer(page, "Row 1 of", "bad", who="Ada")
    answer(page, "Row 2 of", "good")
    answer(page, "Row 3 of", "go on")
    assert running.ended(run) == "COMPLETED"
    assert artifacts(running, run) == {"spot-check"}
    assert [(action, who) for action, _, who in decisions(monday)] == [("reject", "Ada"), ("accept", "Ada")]
    assert bad(monday) == (0.5, 2)
    judge(running, page, monday)
    assert decisions(monday)[2:] == [("reject", None, "Bea")]
    assert bad(monday) == (2 / 3, 3)


def bad(night: Night) -> tuple[float, int]:
    """The share of bad rows in the report, and of how many."""
    report = Report.model_validate_json((night.dir / "report.json").read_bytes())
    assert report.spot_check
    assert report.spot_check.bad
    return report.spot_check.bad.value, report.spot_check.bad.n


def judge(running: Running, page: Page, night: Night) -> None:
    """From the report to its rows by a button, a verdict on the third, and back."""
    page.goto(next(line.split()[-1] for line in running.said if line.startswith("Reports:")))
    for link in (night.name, "report.html", "Judge these rows"):
        page.get_by_role("link", name=link, exact=True).first.click()
    row = page.get_by_role("article", name="Row 3", exact=True)
    row.get_by_label("Your name").fill("Bea")
    row.get_by_label("Your name").press("Enter")  # says nothing of the row yet
    shoot(page, "spot_check")
    row.get_by_role("button", name="Bad", exact=True).click()
    row.get_by_text("✗ Bad, says Bea").wait_for()
    expect(page.get_by_text("You judge as Bea")).to_be_visible()
    page.get_by_role("link", name="Report", exact=True).click()
    expect(page.get_by_text("2 of 3 rows are bad: 66.7%").first).to_be_visible()


def test_rows_are_reviewed_in_the_browser_and_the_night_takes_them_in(
    running: Running, page: Page, monday: Night
) -> None:
    before, waiting = decisions(monday), len(review.undecided(monday))
    run = sit(running, page, "review/review", monday)
    answer(page, f"Row 1 of {waiting}", "reject", who="Bob")
    answer(page, "Row 2 of", "go on")
    assert running.ended(run) == "COMPLETED"
    assert "where-to-look" in artifacts(running, run)
    assert decisions(monday)[len(before) :] == [("reject", None, "Bob")]
    report = Report.model_validate_json((monday.dir / "report.json").read_bytes())
    assert report.people
    assert (report.people.waiting, report.people.by["Bob"]) == (waiting - 1, 1)
    assert f"nightschool review monday --store {monday.store.root}" in (monday.dir / "report.html").read_text()


def made(night: Night) -> list[int]:
    """When each chunk of the answers was made whole."""
    return [night.store.path(chunk, MANIFEST).stat().st_mtime_ns for chunk in STEPS["answers"].chunks(night)]


def test_one_chunk_alone_is_made_anew_by_its_form(running: Running, page: Page, monday: Night) -> None:
    before = made(monday)
    run = rerun(running, page, monday, 1)
    assert running.ended(run) == "COMPLETED"
    assert {"where-to-look", "reuse"} <= artifacts(running, run)
    assert [place for place, (one, other) in enumerate(zip(before, made(monday), strict=True)) if one != other] == [1]


def rerun(running: Running, page: Page, night: Night, chunk: int) -> str:
    """The form `rerun-chunk`, filled in by its address and sent; its run."""
    deployment = running.deployment("rerun-chunk/rerun-chunk")
    known = {one["id"] for one in runs_of(running, deployment)}
    fields = {"phase": "answers", "chunk": chunk, "fresh": True, "store": str(night.store.root)}
    page.goto(running.page(f"/deployments/deployment/{deployment}/run?parameters={quote(json.dumps(fields))}"))
    expect(field(page, "Store").locator("textarea")).to_have_value(str(night.store.root))
    field(page, "Night").locator("textarea").fill(night.name)
    shoot(page, "night_rerun")
    submit(page)
    [new] = until(240, lambda: [one["id"] for one in runs_of(running, deployment) if one["id"] not in known])
    return new


def runs_of(running: Running, deployment: str) -> list[dict[str, Any]]:
    return running.get("POST", "/flow_runs/filter", {"flow_runs": {"deployment_id": {"any_": [deployment]}}})


def test_nights_are_compared_a_store_is_cleaned_and_a_school_made(running: Running, folder: Path) -> None:
    store = str(folder / "runs")
    there = sorted((folder / "runs/nights").iterdir())
    fields = {
        "compare/compare": {"first": "monday", "second": "tuesday", "store": store},
        "clean/clean": {"older_than_days": 0, "store": store},
        "night/school": {"recipe": "smoke", "sets": [f"store={folder / 'school'}"], "until_phase": "school"},
    }
    runs = {name: running.start(name, given) for name, given in fields.items()}
    assert {name: running.ended(run) for name, run in runs.items()} == dict.fromkeys(fields, "COMPLETED")
    assert artifacts(running, runs["compare/compare"]) == {"compare"}
    assert artifacts(running, runs["clean/clean"]) == {"clean"}
    assert "where-to-look" in artifacts(running, runs["night/school"])
    assert (folder / "runs/nights/tuesday/against-monday.html").is_file()
    assert sorted((folder / "runs/nights").iterdir()) == there, "clean was not told to really remove anything"
    assert list((folder / "school").glob("school/*/*"))


def test_ctrl_c_leaves_nothing_running_and_a_lost_database_no_chunk_beyond_reach(
    up: Up, page: Page, monday: Night
) -> None:
    running = up.running()
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert children
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(180) == 0
    _, alive = psutil.wait_procs(children, timeout=120)
    assert not alive
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((prefect_server.HOST, running.port))

    for file in up.home.glob("prefect.db*"):
        file.unlink()
    running = up.running()
    assert running.get("POST", "/flow_runs/filter", {"flow_runs": {"tags": {"all_": ["resumes"]}}}) == []
    before = made(monday)
    assert running.ended(rerun(running, page, monday, 0)) == "COMPLETED"
    assert made(monday)[0] > before[0]
    again = ["rerun", "monday", "--phase", "answers", "--chunk", "1", "--fresh", "--store", str(monday.store.root)]
    env = {**os.environ, "PREFECT_API_URL": running.page("/api")}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *again, "--json"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["night"]["name"] == "monday"
    assert [one > other for one, other in zip(made(monday), before, strict=True)][:2] == [True, True]
