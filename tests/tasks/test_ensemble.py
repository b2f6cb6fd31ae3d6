"""Who is served for an ensemble: teachers, and the night's student as it was and as it became."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.scripted.local import Script, scripted
from nightschool.errors import RecipeError
from nightschool.predict import Predicted
from nightschool.wire import Endpoint
from tasks import predict, serving
from tasks.making import Job, make
from tasks.night import Night
from tasks.step import Made
from tasks.steps import STEPS
from tests.blocks.client_asks import counted
from tests.tasks.test_predict import asked, plan, plan_as_it_is, rows, run, up
from tests.tasks.test_rounds import trained

DRAFTS = (
    "student={name: kim, model: tiny, prompt: plain.txt, engine: transformers}", "validate={}",
    "splits={validation: 0.2, test: 0.2}",
    "sft=[{name: first, learning_rate: 1e-3},"
    " {name: reader, start: first, draft_of: first, prompt: d.txt, learning_rate: 1e-3}]",
    "predict.models=[ann, reader]", "predict.templates={seen: seen.txt}",
)  # fmt: skip
ECHO = Script.model_validate({"behaviour": "echo", "models": {"reader": {}}})
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


def made_of(made: Made) -> tuple[Predicted, float]:
    """A problem's row, and the seconds that it took."""
    assert isinstance(made.rows, list)
    [row] = made.rows
    assert isinstance(row, Predicted)
    return row, made.figures["thought_s"]


@pytest.fixture
def readers(tmp_path: Path) -> Night:
    """An ensemble of a teacher that is always right and a stage that is shown drafts, whose training is on file."""
    plan(tmp_path)
    for name in ("d", "seen"):
        (tmp_path / f"{name}.txt").write_text("[user]\n$question\nA draft: $draft\n")
    night = plan_as_it_is(tmp_path, *DRAFTS)
    with up(night, ann={"accuracy": 1.0}) as (served, _):
        for phase in ("pool", "answers", "merge", "committee", "splits"):
            for chunk in STEPS[phase].chunks(night):
                make(Job(night.store.place, night.name, night.stamp, chunk, {**served, "ben": served["ann"]}))
    for name in ("first", "reader"):
        trained(night, name)
    return night


def test_a_stage_that_is_shown_drafts_is_asked_with_its_drafters_and_nothing_is_paid_twice(
    readers: Night, tmp_path: Path
) -> None:
    night = readers
    assert [name for spec in serving.ensemble(night) for name in spec.served] == ["ann", "base", "first", "reader"]
    key = night.recipe.pool
    sure = Script.model_validate({"behaviour": "maths", "models": {"first": {"accuracy": 1.0}}, "answers": key})
    with scripted(sure) as drafter, scripted(ECHO) as echoing, up(night, ann={"accuracy": 1.0}) as (
        served, urls,
    ):  # fmt: skip
        student = {name: Endpoint(model=name, urls=(url,)) for name, url in (("first", drafter), ("reader", echoing))}
        run(night, {**served, **student})
        heard = [row.heard["reader/seen"][0].value for row in rows(night)]
        assert heard == [row.heard["ann/seen"][0].value for row in rows(night)], "it says what its draft says"
        assert counted(drafter)["total"] == counted(echoing)["total"] == len(heard)
        again = plan_as_it_is(tmp_path, *DRAFTS, "predict.enough=0.9")
        assert again.keys["predict"] != night.keys["predict"]
        run(again, {**served, **student})
        assert counted(drafter)["total"] == counted(echoing)["total"] == asked(urls)["ann"] == len(heard)


@pytest.mark.usefixtures("readers")
def test_a_drafters_time_is_the_problems_and_without_a_draft_the_question_is_asked_alone(tmp_path: Path) -> None:
    night = plan_as_it_is(tmp_path, *DRAFTS, "predict.budget={per_problem_s: 0.8}")
    late = Script.model_validate({"behaviour": "echo", "models": {"first": {"latency_s": {"mean": 60}}}})
    with scripted(late) as slow, scripted(ECHO) as echoing, up(night, ann={"accuracy": 1.0}) as (
        served, _,
    ):  # fmt: skip
        student = {name: Endpoint(model=name, urls=(url,)) for name, url in (("first", slow), ("reader", echoing))}
        chunk = predict.chunks(night)[0]
        row, thought_s = made_of(predict.make(night, chunk, {**served, **student}))
        assert thought_s < 5
        assert row.unheard == {"reader/seen": "late"}
        gone = {"first": Endpoint(model="first", urls=("http://127.0.0.1:9/v1",), attempts=1)}
        other = predict.chunks(night)[1]
        row, _ = made_of(predict.make(night, other, {**served, **student, **gone}))
        assert row.heard.keys() == {"ann/seen", "reader/seen"}
        assert row.heard["reader/seen"][0].reason == "no_answer", "it says the question again, and no draft"


@pytest.mark.parametrize(
    ("sets", "wrong"),
    [
        (("predict.templates={plain: plain.txt}",), "reader answers with a draft in sight, and no template shows"),
        (("predict.models=[ann]",), "it shows \\$draft, and nobody in the ensemble has one"),
    ],
)
@pytest.mark.usefixtures("readers")
def test_drafts_and_templates_that_do_not_meet_are_refused(tmp_path: Path, sets: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(RecipeError, match=wrong):
        plan_as_it_is(tmp_path, *DRAFTS, *sets)
