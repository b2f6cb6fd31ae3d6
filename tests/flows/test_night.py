"""A night in parts: it ends well behind a phase, is refused before one, and one chunk of it is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from prefect.client.orchestration import get_client

from blocks.client import client
from flows.night import night
from flows.rerun import rerun_chunk
from nightschool.errors import Refused
from nightschool.report.figures import Report
from tasks import answers, committee
from tests.half_night import Make

NO_STUDENT = ["student=null", "sft=null", "validate=null"]

pytestmark = pytest.mark.usefixtures("prefect_harness")


def test_a_night_goes_as_far_as_it_is_told_and_on_from_there(make: Make, tmp_path: Path) -> None:
    planned = make(*NO_STUDENT)
    recipe = str(tmp_path / "recipe.yaml")
    with pytest.raises(Refused, match="nothing before committee may be made"):
        night(recipe, sets=NO_STUDENT, from_phase="committee")
    assert not (planned.dir / "night.json").exists()

    told = night(recipe, sets=NO_STUDENT, until_phase="answers")
    assert isinstance(told, dict)
    report = Report.model_validate(told)
    assert "went as far as answers, as it was to" in report.night.verdict
    assert report.night.outcome == "stopped"
    assert "The night goes on behind answers:" in report.what_next
    assert planned.made(answers.chunks(planned))
    assert not planned.made(committee.chunks(planned))

    asked = client().stats().sent
    whole = Report.model_validate(night(recipe, sets=NO_STUDENT, from_phase="committee"))
    assert client().stats().sent == asked
    assert (whole.night.until, whole.night.outcome) == (None, "passed")
    with get_client(sync_client=True) as server:
        keys = {one.key for one in server.read_latest_artifacts(limit=100)}
    assert {"where-to-look", "report-page"} <= keys

    first = answers.chunks(planned)[0]
    rerun_chunk(planned.name, "answers", 0, fresh=True, store=str(planned.store.root))
    assert client().stats().sent == asked + first.rows
