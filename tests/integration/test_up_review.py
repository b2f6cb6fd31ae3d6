"""A night that waits for a person at a real Prefect server, decided in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from blocks.decisions import Decisions
from nightschool.recipe.load import load_recipe
from nightschool.records import Ruling
from nightschool.report.figures import Report
from tasks import review
from tasks.night import Night
from tests.integration.brought_up import FINAL, Running, answer, until

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1200)]

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


def test_rows_are_decided_in_the_browser_and_the_night_goes_on(running: Running, page: Page, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("[user]\nSolve: $question\n")
    (tmp_path / "q.jsonl").write_text('{"problem": "What is 3 + 1?"}\n{"problem": "Is it?"}\n')
    (tmp_path / "r.yaml").write_text(RECIPE.format(store=tmp_path / "runs"))
    night = Night.plan(load_recipe(tmp_path / "r.yaml"))
    run = running.start("night/night", {"recipe": str(tmp_path / "r.yaml")})
    until(400, lambda: running.state(run) in ("PAUSED", *FINAL))
    first = review.queue(night)[0].question.question
    page.goto(running.page(f"/runs/flow-run/{run}"))
    answer(page, "Row 1 of 2", "4", who="Ada")
    answer(page, "Row 2 of 2", "reject")
    assert running.ended(run) == "COMPLETED"

    said = [(one.action, one.answer, one.who) for one in Decisions(night.store).read()]
    assert said == [("choose", "4", "Ada"), ("reject", None, "Ada")]
    report = Report.model_validate_json((night.dir / "report.json").read_bytes())
    assert report.people
    assert (report.people.waiting, report.people.by) == (0, {"Ada": 2})
    taught = night.rows(review.out(night), Ruling)
    assert [(row.question.question, row.answer, row.who) for row in taught] == [(first, "4", "Ada")]
