"""Nights from Prefect's page, as a person has them there: forms, a chunk that fails alone, Retry, report, Cancel."""

import json
from collections import Counter
from typing import Any

import pytest
from playwright.sync_api import Page

from nightschool.recipe.load import find_recipe, load_recipe
from tasks.night import Night
from tests.integration.brought_up import Running, choose, field, press, shoot, submit, until

NIGHT = "night/night"
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1200)]


def test_everything_that_can_be_started_is_on_the_first_page(running, page):
    page.goto(running.page("/deployments"))
    for name in ("clean", "compare", "night", "rerun-chunk", "review", "school", "spot-check"):
        page.get_by_role("link", name=name, exact=True).first.wait_for()
    shoot(page, "night_deployments")


def test_a_night_from_the_form_fails_in_one_chunk_and_the_retry_button_redoes_just_that(running, page, tmp_path):
    sets = [f"store={json.dumps(str(tmp_path))}"]
    night = Night.plan(load_recipe(find_recipe("smoke"), sets=sets), "from-the-form")
    # A folder where the chunk's rows are to be: nothing that the night itself could mend.
    blocked = tmp_path / "answers" / night.keys["answers/bruno"] / "chunk-00000.rows.jsonl.zst"
    blocked.mkdir(parents=True)
    run = fill_in(running, page, sets[0], "from-the-form")
    assert running.ended(run) == "FAILED"
    see_chunks(running, run, Counter(Completed=5, Failed=1))
    failures = json.loads((night.dir / "report.json").read_text())["failures"]
    assert [(one["phase"], one["command"].split()[-6:-2]) for one in failures] == [
        ("answers", ["--phase", "answers", "--chunk", "2"])
    ]
    page.goto(running.page(f"/runs/flow-run/{run}"))
    page.get_by_text("1 of 6 chunks failed").first.wait_for()
    shoot(page, "night_run")

    blocked.rmdir()
    press(page, "Retry", lambda: running.state(run) != "FAILED")
    until(300, lambda: running.state(run) not in ("SCHEDULED", "PENDING"))
    assert running.ended(run) == "COMPLETED"
    see_chunks(running, run, Counter(Completed=6, Cached=5, Failed=1))
    report = json.loads((night.dir / "report.json").read_text())
    assert phases_seen(running, run) >= {phase["name"] for phase in report["phases"] if phase["chunks"]}
    assert {phase["name"]: phase["cached_chunks"] for phase in report["phases"]}["answers"] == 5
    see_report(running, page, run, report["night"]["verdict"])


def fill_in(running: Running, page: Page, override: str, name: str) -> str:
    """Starts a night by its form, after a name that the form refuses; the run."""
    write(running, page, override, "../elsewhere")
    page.get_by_role("button", name="Submit").click()
    page.get_by_text("does not match").first.wait_for()
    shoot(page, "night_refused")
    write(running, page, override, name)
    submit(page)
    named = {"deployments": {"name": {"any_": ["night"]}}}
    found = until(240, lambda: [one for one in running.get("POST", "/flow_runs/filter", named)
                               if one["parameters"].get("name") == name])  # fmt: skip
    assert len(found) == 1, "the refused form made no run"
    return found[0]["id"]


def write(running: Running, page: Page, override: str, name: str) -> None:
    """The form, filled in; its picture is taken before this machine's folder is in it."""
    page.goto(running.page(f"/deployments/deployment/{running.deployment(NIGHT)}/run"))
    choose(page, "Recipe", "smoke")
    field(page, "Night's name").locator("textarea").fill(name)
    shoot(page, "night_form")
    field(page, "Overrides").get_by_role("button", name="Add item").click()
    field(page, "Overrides").locator("textarea, input").last.fill(override)


def see_report(running: Running, page: Page, run: str, verdict: str) -> None:
    """The run's artifacts, and the report behind their link."""
    page.goto(running.page(f"/runs/flow-run/{run}"))
    page.get_by_text("Artifacts", exact=True).first.click()
    page.get_by_text("where-to-look").first.wait_for()
    shoot(page, "night_artifacts")
    wanted = {"artifacts": {"flow_run_id": {"any_": [run]}, "key": {"any_": ["where-to-look"]}}}
    artifact = running.get("POST", "/artifacts/filter", wanted)[0]["id"]
    page.goto(running.page(f"/artifacts/artifact/{artifact}"))
    link = page.get_by_role("link", name="Report", exact=True)
    link.wait_for()
    address = link.get_attribute("href")
    assert address
    page.goto(address)
    page.get_by_text(verdict.partition(" ")[0]).first.wait_for()
    page.goto(address.replace("report.html", "status"))
    page.get_by_text("package").first.wait_for()
    shoot(page, "night_status")


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

    until(240, lambda: states() == expected)
