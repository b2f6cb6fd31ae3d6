"""What a night does when the world is bad: models that talk rubbish, servers that never come, one that only fails."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nightschool.errors import WorldError
from nightschool.records import Dropped, Ruling
from tasks import answers, committee, questions
from tests.flows.conftest import teach
from tests.half_night import Make

pytestmark = pytest.mark.usefixtures("prefect_harness")


def test_a_teacher_that_answers_rubbish_abstains_and_its_text_is_kept(make: Make) -> None:
    night = make(alba="{faults: {rubbish: 1.0}}")
    teach(night)
    lost = [row for chunk, _ in night.made(questions.chunks(night)) for row in night.store.dropped(chunk, Dropped)]
    by_alba = [row for row in lost if row.reason in ("not_json", "wrong_shape")]
    assert len(by_alba) == 2 * len(night.recipe.topics)
    assert all(row.text and row.topic for row in by_alba)
    said_nothing = [chunk for chunk, manifest in night.made(answers.chunks(night)) if not manifest.rows]
    assert {chunk.part for chunk in said_nothing} == {"alba"}
    rulings = night.rows(committee.chunks(night), Ruling)
    assert rulings
    assert all(row.votes["alba"] is None for row in rulings)


def test_faults_on_the_wire_cost_retries_and_no_row(make: Make) -> None:
    faults = "status_429: 0.05, status_500: 0.05, reset: 0.05, half_body: 0.05, empty_choices: 0.05"
    night = make("serve.attempts=12", alba=f"{{faults: {{{faults}}}, retry_after_s: 0.05}}")
    teach(night)
    manifests = [manifest for _, manifest in night.made([*questions.chunks(night), *answers.chunks(night)])]
    assert sum(manifest.figures["retries"] for manifest in manifests) > 0
    reasons = Counter[str]()
    for manifest in manifests:
        reasons.update(manifest.dropped)
    assert "no_reply" not in reasons
    assert "server_error" not in reasons


def test_a_model_that_is_not_there_is_told_with_the_end_of_its_servers_log(make: Make, tmp_path: Path) -> None:
    nowhere = tmp_path / "no-such-model"
    night = make("teachers.0.script=null", "teachers.0.engine=transformers", f"teachers.0.model={nowhere}")
    with pytest.raises(WorldError, match="no-such-model") as failed:
        teach(night)
    assert "alba" in str(failed.value)
    assert ".log" in str(failed.value)
    assert len(str(failed.value).splitlines()) < 30


def test_a_server_that_never_comes_up_is_given_up_on_in_time(make: Make) -> None:
    night = make("serve.startup_timeout_s=0.01")
    with pytest.raises(WorldError, match=r"(alba|bruno)"):
        teach(night)
