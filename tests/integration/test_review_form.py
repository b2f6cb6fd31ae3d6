"""A night that waits for a person at a real Prefect server, decided in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blocks import prefect_server
from blocks.decisions import Decisions
from blocks.server_process import free_port
from flows.deployments import register
from nightschool.recipe.load import load_recipe
from nightschool.records import Ruling
from nightschool.report.figures import Report
from tasks import review
from tasks.night import Night
from tests.integration.brought_up import asked, until

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

# Nobody but people knows what is right here: the file has no answers, and the teachers do not agree.
RECIPE = """
name: asked
store: {store}
serve: {{engine: scripted}}
teachers:
  - {{name: ann, model: ann, script: {{behaviour: text, text: 'So \\boxed{{4}}', models: {{ann: {{}}}}}}}}
  - {{name: ben, model: ben, script: {{behaviour: text, text: 'So \\boxed{{5}}', models: {{ben: {{}}}}}}}}
pool: {{file: q.jsonl, fields: {{question: problem}}}}
answers: {{reply: text, value: integer, prompt: p.txt}}
committee: {{to_review: [tie]}}
review: wait
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    home, port = tmp_path_factory.mktemp("prefect"), free_port()
    with prefect_server.server(port, home), prefect_server.worker(port, home):
        register(port, home)
        yield port


def fill_in(page: Any, row: str, decision: str, who: str = "") -> None:
    """Waits for the form of this row, fills it in and sends it."""
    dialogue = page.get_by_role("dialog")

    def shown() -> bool:
        page.get_by_role("button", name="Resume").first.click(timeout=60_000)
        page.wait_for_timeout(1500)
        if dialogue.get_by_text(row).count():
            return True
        dialogue.get_by_role("button", name="Close").click()
        return False

    until(90, shown)
    dialogue.locator("textarea").first.fill(decision)
    if who:
        dialogue.locator("textarea").last.fill(who)
    if shots := os.environ.get("NIGHTSCHOOL_SHOTS"):
        page.screenshot(path=Path(shots) / f"review-{row.split()[1]}.png")
    dialogue.get_by_role("button", name="Submit").click()
    dialogue.wait_for(state="detached")


def test_rows_are_decided_in_the_browser_and_the_night_goes_on(port: int, page: Any, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("[user]\nSolve: $question\n")
    (tmp_path / "q.jsonl").write_text('{"problem": "What is 3 + 1?"}\n{"problem": "Is it?"}\n')
    (tmp_path / "r.yaml").write_text(RECIPE.format(store=tmp_path / "runs"))
    night = Night.plan(load_recipe(tmp_path / "r.yaml"))
    deployment = asked(port, "GET", "/deployments/name/night/night")
    body = {"parameters": {"recipe": str(tmp_path / "r.yaml")}, "enforce_parameter_schema": False}
    run = asked(port, "POST", f"/deployments/{deployment['id']}/create_flow_run", body)["id"]

    def state() -> str:
        found = asked(port, "GET", f"/flow_runs/{run}")["state"]
        assert found["type"] not in ("FAILED", "CRASHED"), found["message"]
        return found["type"]

    until(200, lambda: state() == "PAUSED")
    first = review.queue(night)[0].question.question
    page.goto(f"http://{prefect_server.HOST}:{port}/runs/flow-run/{run}")
    fill_in(page, "Row 1 of 2", "4", who="Ada")
    fill_in(page, "Row 2 of 2", "reject")
    until(120, lambda: state() == "COMPLETED")

    said = [(one.action, one.answer, one.who) for one in Decisions(night.store).read()]
    assert said == [("choose", "4", "Ada"), ("reject", None, "Ada")]
    report = Report.model_validate_json((night.dir / "report.json").read_bytes())
    assert report.people
    assert (report.people.waiting, report.people.by) == (0, {"Ada": 2})
    taught = night.rows(review.out(night), Ruling)
    assert [(row.question.question, row.answer, row.who) for row in taught] == [(first, "4", "Ada")]
