"""The spot check on Prefect's page: a form for each drawn row, and the share of bad ones in the report."""

from __future__ import annotations

from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from pydantic import create_model

from blocks.decisions import Decisions
from flows import form
from flows import spot_check as page
from flows.review_form import BAD, GO_ON, GOOD, fields
from nightschool.report.figures import Report
from tasks.ledger import Run
from tasks.report import publish
from tasks.spot_check import waiting
from tests.flows.test_people import Person
from tests.half_night import Make
from tests.nightschool.review_cases import case
from tests.tasks.conftest import fill, serving


@pytest.mark.usefixtures("prefect_harness")
def test_verdicts_on_the_page_are_decisions_and_reach_the_report(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "_LOOK_EVERY_S", 0.05)
    night = make("balance.by=[topic]")
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(night, served, "questions", "pool", "answers", "committee", "balance")
    publish(night, Run(started="2026-01-02T03:04:05+00:00"))
    person = Person({"decision": " Good "}, {"decision": BAD, "who": "bob"}, {"decision": GOOD}, {"decision": GO_ON})

    @flow(name="checking")
    def checking() -> str:
        person.run_id = UUID(flow_run.get_id())
        person.start()
        return page.spot_check.fn(night.name, str(night.store.root))

    told = checking()
    person.join(120)
    assert not person.refused
    assert "as it is taught" in person.seen[0].replace("\\", "")
    assert "Row 1 of" in person.seen[0]
    taught = [one.leading for one in waiting(night)]
    said = [(one.action, one.answer, one.who) for one in Decisions(night.store).read()]
    assert said == [("accept", taught[0], "ada"), ("reject", None, "bob"), ("accept", taught[2], "ada")]
    assert told.startswith("1 of 3 rows is bad: 33.3%")
    report = Report.model_validate_json((night.dir / "report.json").read_bytes())
    assert report.spot_check is not None
    assert report.spot_check.bad is not None
    assert report.spot_check.bad.n == 3
    with get_client(sync_client=True) as server:
        assert "spot-check" in {one.key for one in server.read_latest_artifacts(limit=100)}


def test_the_form_has_the_good_verdict_filled_in_even_where_votes_tie() -> None:
    shape = create_model("Row", **fields(case(alba="A", bruno="B"), "ada", spot_check=True))  # pyright: ignore
    verdict = shape.model_json_schema()["properties"]["decision"]
    assert (verdict["default"], verdict["title"]) == (GOOD, "Verdict")
    assert "(A, B, C, D)" in verdict["description"]
