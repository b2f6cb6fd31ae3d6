"""Ensemble inference as Prefect runs it: a flow with its phases, a submission, nothing asked twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect import get_client

from flows.predict import predict as flow
from nightschool.errors import RecipeError
from nightschool.report.predicted import Ensemble
from tests.tasks.test_predict import plan

KNOWN = "answers: {file: q.csv, fields: {question: problem, answer: gt}}"
MODELS = tuple(
    f"teachers.{place}.script={{behaviour: maths, models: {{{name}: {{accuracy: 1.0}}}}, {KNOWN}}}"
    for place, name in enumerate(("ann", "ben"))
)

pytestmark = pytest.mark.usefixtures("prefect_harness")


def run(folder: Path, *sets: str, **more: Any) -> Ensemble:
    return Ensemble.model_validate(flow(str(folder / "r.yaml"), "none", [*MODELS, *sets], **more))


def test_a_flow_answers_every_problem_hands_in_and_asks_nothing_twice(tmp_path: Path) -> None:
    plan(tmp_path, rows=3)
    first = run(tmp_path)
    assert (first.problems, first.requests, first.by) == (3, 8, {"votes": 3})
    assert first.judged is not None
    assert first.judged.taken
    assert first.submission is not None
    assert Path(first.submission).read_text() == "id,answer\np0,1\np1,2\nagain,1\n"
    assert run(tmp_path, again=True) == first
    with get_client(sync_client=True) as client:
        names = {one.name for one in client.read_flows()}
        assert {"predict", "submission"} <= names
        assert "ensemble" in {one.key for one in client.read_artifacts()}


def test_a_recipe_without_an_ensemble_has_nothing_to_predict() -> None:
    with pytest.raises(RecipeError, match="nothing to predict"):
        flow("smoke")
