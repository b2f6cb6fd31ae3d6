"""The recipe section of an ensemble: what goes together, and that it is written down whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.forecast import forecast
from nightschool.recipe.load import dump_recipe, find_recipe, load_recipe
from nightschool.recipe.predict import voters
from nightschool.recipe.recipe import Recipe


def loaded(*sets: str) -> Recipe:
    return load_recipe(find_recipe("ensemble"), sets=sets)


def test_it_is_written_down_whole_and_read_back_the_same(tmp_path: Path) -> None:
    recipe = loaded("predict.contest=aimo")
    (tmp_path / "resolved.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(tmp_path / "resolved.yaml") == recipe


def test_every_model_votes_under_every_template() -> None:
    recipe = loaded("predict.models=[quick, strong]")
    assert [one.name for one in voters(recipe)][:4] == [
        "quick/step_by_step", "quick/few_shot", "quick/expert", "strong/step_by_step",
    ]  # fmt: skip
    ahead = {one.phase: one for one in forecast(recipe)}
    assert (ahead["predict"].chunks, ahead["predict"].requests) == (48, 48 * 6 * 2)


@pytest.mark.parametrize("name", ["basic", "step_by_step", "structured", "detailed_reasoning", "few_shot", "expert"])
def test_every_template_that_ships_can_be_used(name: str) -> None:
    recipe = loaded(f"predict.templates={{{name}: prompts/predict/{name}.txt}}")
    assert recipe.predict is not None
    assert "\\boxed{}" in recipe.predict.templates[name].user
    assert {category: len(each) for category, each in recipe.predict.examples.items()} == dict.fromkeys(
        ("algebra", "arithmetic", "combinatorics", "geometry"), 3
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("predict.models=[nobody]",), "predict.models.0: there is no such model"),
        (("predict.budget.fast=slow",), "predict.budget.fast: it is not in the ensemble"),
        (("predict.contest=nowhere",), "predict.contest: there is no such contest"),
        (("predict.sample=nowhere.csv",), "predict.sample: there is no such file"),
        (("predict.contest=aaipl",), "predict.contest: aaipl has no rules of a submission"),
        (("predict.contest=null",), "predict.sample: a sample is read by a contest's rules"),
        (("predict.examples={}",), "predict.examples: few_shot shows examples, and there are none"),
        (("predict.examples={algebra: prompts/answers.txt}",), "predict.examples"),
        (
            ("predict.templates={bad: prompts/answers.txt}",),
            "predict.templates: bad: the prompt has a placeholder",
        ),
        (("pool.fields.id=null",), "predict.questions: a submission names each problem by its id"),
        (("answers.value=latex",), "answers.value: the contest takes whole numbers"),
        (("answers.value=none", "committee={}"), "predict: an ensemble votes with values"),
        (("committee.quorum=10",), "committee.quorum: 10 is more than the 9"),
        (("predict.budget.total_s=0",), "predict.budget.total_s"),
    ],
)
def test_what_cannot_be_is_told_when_the_recipe_loads(change: tuple[str, ...], told: str) -> None:
    with pytest.raises(RecipeError) as caught:
        loaded(*change)
    assert told in str(caught.value)
