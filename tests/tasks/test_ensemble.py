"""Who is served for an ensemble: teachers, and the night's student as it was and as it became."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from tasks import serving
from tasks.making import Job, make
from tasks.steps import STEPS
from tests.tasks.test_predict import plan, plan_as_it_is, up
from tests.tasks.test_rounds import trained

LEARNS = (
    "student={name: kim, model: tiny, prompt: plain.txt, engine: transformers}", "validate={}",
    "sft={learning_rate: 1e-3}", "splits={validation: 0.2, test: 0.2}", "predict.models=[ann, base, sft]",
)  # fmt: skip


def test_the_nights_student_is_asked_as_it_was_and_as_it_became_once_it_is_trained(tmp_path: Path) -> None:
    plan(tmp_path)
    night = plan_as_it_is(tmp_path, *LEARNS)
    with pytest.raises(RecipeError, match="stage sft has not been trained"):
        serving.ensemble(night)
    with up(night, ann={"accuracy": 1.0}) as (served, _):
        for phase in ("pool", "answers", "merge", "committee", "splits"):
            for chunk in STEPS[phase].chunks(night):
                make(Job(night.store.place, night.name, night.stamp, chunk, {**served, "ben": served["ann"]}))
    trained(night, "sft")
    specs = serving.ensemble(night)
    assert [name for spec in specs for name in spec.served] == ["ann", "base", "sft"]
    assert len({night.keys.asks[f"predict/{name}"] for name in ("ann", "base", "sft")}) == 3
