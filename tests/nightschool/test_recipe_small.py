"""Small recipes: whatever a recipe names, they need no model, no GPU and no time, and run the same phases."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.forecast import forecast
from nightschool.recipe.load import dump_recipe, find_recipe, load_recipe, recipes
from nightschool.recipe.lora import Lora
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.script import Script, ScriptedModel
from nightschool.recipe.small import drilled, dry

CONFIGS = recipes(Path(__file__).parents[2] / "configs")
REMOTE = ["teachers.0.engine=endpoint", "teachers.0.urls=[http://far.example/v1]", "teachers.0.model=big/model"]


def phases(recipe: Recipe) -> list[str]:
    return [ahead.phase for ahead in forecast(recipe) if ahead.phase != "school"]


PLANS = ("aaipl", "committee", "strategyqa", "aimo", "critique")
OWN = [(file.parent.name, file.stem) for file in sorted(CONFIGS[0].parent.glob("profiles/*/*.yaml"))]
BIG = ("h200", "mi300x", "8xgpu", "api")


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("profile", BIG)
def test_every_plan_fits_every_machine_that_is_large_enough(plan: str, profile: str) -> None:
    recipe = load_recipe(find_recipe(plan), profile=profile)
    served = {teacher.engine or recipe.serve.engine for teacher in recipe.teachers}
    assert served == {"endpoint" if profile == "api" else "vllm"}
    assert all(stage.launcher == ("ddp" if profile == "8xgpu" else "plain") for stage in (*recipe.sft, *recipe.dpo))


@pytest.mark.parametrize("plan", PLANS)
def test_every_plan_can_be_tried_out_without_a_gpu_or_a_download(plan: str) -> None:
    tiny = load_recipe(find_recipe(plan), profile="tiny")
    assert all(model.engine == "scripted" or model.model.startswith("school:") for model in tiny.models)
    assert tiny.learner is not None


@pytest.mark.parametrize(("plan", "profile"), OWN)
def test_a_recipes_own_profiles_can_be_read(plan: str, profile: str) -> None:
    assert load_recipe(find_recipe(plan), profile=profile) != load_recipe(find_recipe(plan))


def test_plan_002_fits_its_card() -> None:
    student = load_recipe(find_recipe("strategyqa"), profile="rtx4060,api")
    assert {stage.lora.quantize for stage in student.sft if isinstance(stage.lora, Lora)} == {"4bit"}
    assert {stage.micro_batch for stage in (*student.sft, *student.dpo)} == {1}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_dry_run_has_every_phase_and_none_of_the_models(path: Path, tmp_path: Path) -> None:
    whole = load_recipe(path)
    small = dry(whole, store=str(tmp_path))
    assert phases(small) == phases(whole)
    assert {model.engine for model in small.models} == {"scripted"}
    assert sum(ahead.requests for ahead in forecast(small)) < 400
    file = tmp_path / "recipe.yaml"
    file.write_text(dump_recipe(small))
    assert load_recipe(file) == small


def test_endpoints_and_full_training_are_left_behind(tmp_path: Path) -> None:
    whole = load_recipe(find_recipe("quickstart"), sets=[*REMOTE, "sft.max_length=64", "serve.engine=vllm"])
    small = dry(whole, store=str(tmp_path))
    assert not any(model.urls for model in small.models)
    assert small.sft[0].max_length > 1000
    assert small.school is not None
    assert small.school.kind == "random"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_drill_asks_teachers_and_trains_nobody(path: Path, tmp_path: Path) -> None:
    whole = load_recipe(path)
    scripts = {teacher.name: Script(models={teacher.name: ScriptedModel()}) for teacher in whole.teachers}
    small = drilled(whole, store=str(tmp_path), rows=24, scripts=scripts)
    assert not {"sft", "dpo", "validate"} & set(phases(small))
    assert small.answers.prompt == whole.answers.prompt


def test_a_dry_run_of_solutions_knows_the_files_answers(tmp_path: Path) -> None:
    small = dry(load_recipe(find_recipe("critique")), store=str(tmp_path))
    keys = [model.script.answers for model in small.teachers if model.script and model.script.answers]
    assert [(key.file, key.fields) for key in keys] == [(small.pool.file, small.pool.fields)] * 2


def test_nobody_is_told_of_a_small_night_and_no_server_is_asked_for_it() -> None:
    sets = ["notify={to: env/HOOK}", "teachers.0.endpoint=block/big", "sft.trainer=block/four"]
    recipe = load_recipe(find_recipe("smoke"), sets=sets)
    for small in (dry(recipe, store="runs"), drilled(recipe, store="runs", rows=12, scripts={
        teacher.name: Script(models={teacher.name: ScriptedModel()}) for teacher in recipe.teachers
    })):  # fmt: skip
        assert small.notify == ()
        assert "block/" not in dump_recipe(small)
