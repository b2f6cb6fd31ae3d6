"""The methods paragraph: all that was done, nothing that was not, and no number that the night does not have."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nightschool.recipe.load import load_recipe, recipes
from nightschool.recipe.recipe import Recipe
from nightschool.report.evaluated import Evaluated, Look
from nightschool.report.figures import Answered, Funnel, Report
from nightschool.report.lessons import Lesson
from nightschool.report.methods import methods
from nightschool.report.page import render
from nightschool.training.record import Prompts
from tests.nightschool.example_report import example, night, unjudged

CONFIGS = Path(__file__).parents[2] / "configs"
SMOKE = CONFIGS / "smoke.yaml"
STEPS = ("written", "valid", "asked", "agreed", "to train on", "balanced", "consistency", "length")
NUMBER = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?![\w])")


def reached(recipe: Recipe, rows: int = 7_001) -> Report:
    """A night of this recipe that came to its end, with counts that no recipe has."""
    funnel = tuple(Funnel(step=step, total=rows + place) for place, step in enumerate(STEPS))
    lessons = tuple(
        Lesson(stage=stage.name, trained=8_101 + place, prompts=Prompts(rows=9, compared=9))
        for place, stage in enumerate(recipe.stages)
        if stage.kind != "rounds"
    )
    evaluated = {
        stage.name: Evaluated(rows=311, metric="loss", looks=(Look(step=17, loss=0.25),), chosen=17, last=19, best=True)
        for stage in recipe.stages
    }
    return Report(
        night=night(seed=recipe.seed, versions={"nightschool": "9.9.9"}), funnel=funnel, lessons=lessons,
        evaluated=evaluated, stages=unjudged().stages if recipe.learner else (),
        answered=(Answered(teacher="ada", rows=rows),),
    )  # fmt: skip


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for one in value.values():
            yield from numbers(one)
    elif isinstance(value, list | tuple):
        yield len(value)
        for one in value:
            yield from numbers(one)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value is not None:
        yield value
        yield 100 * value


@pytest.mark.parametrize("path", recipes(CONFIGS), ids=lambda path: path.stem)
def test_every_number_is_one_of_the_recipes_or_the_nights(path: Path) -> None:
    recipe = load_recipe(path)
    report = reached(recipe)
    text = methods(recipe, report)
    # Those of the tests, which the last test holds against the rules, and a row's steps of accumulation.
    known = {95.0, 10_000.0, 0.05, *numbers(recipe.model_dump(mode="json")), *numbers(report.model_dump(mode="json"))}
    known |= {float(stage.section.batch_size * stage.section.accumulation) for stage in recipe.stages}
    known |= {float(recipe.quorum), float(len(recipe.teachers)), float(recipe.seed)}
    spelt = re.sub(r"Versions: .*|SHA-256 \w+", "", text)
    for model in recipe.models:
        spelt = spelt.replace(model.model, "").replace(model.name, "")
    found = [float(each.replace(",", "")) for each in NUMBER.findall(spelt)]
    assert len(found) > 5
    made_up = [
        each for each in found if not any(math.isclose(each, one, rel_tol=1e-4, abs_tol=0.5e-9) for one in known)
    ]
    assert not made_up, text


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        (["sft.learning_rate=0.0123"], "at a learning rate of 0.0123"),
        (["sft.accumulation=3"], "48 rows a step (16 by 3 steps of accumulation)"),
        (["sft.lora=none", "package=null"], "all weights"),
        (["dpo.beta=0.37", "dpo.cal=paper"], "beta 0.37, calibration paper"),
        (["committee.strategy=unanimous"], "where they were unanimous"),
        (["committee.verifier=none"], "Nothing outranked the votes"),
        (["answers.samples=5"], "5 times each"),
        (["validate.seeds=[3, 5]"], "under the sampling seeds 3, 5"),
        (["balance.method=upsample"], "Rows were repeated to equal shares"),
        (["seed=81"], "drawn from seed 81"),
        (["student.temperature=0.33"], "(temperature 0.33"),
    ],
)
def test_it_says_what_the_recipe_says(sets: list[str], told: str) -> None:
    recipe = load_recipe(SMOKE, sets=sets)
    assert told in methods(recipe, reached(recipe))


def test_what_was_not_reached_is_not_told_of() -> None:
    recipe = load_recipe(SMOKE)
    text = methods(recipe, Report(night=night(), funnel=reached(recipe).funnel[:2]))
    assert "wrote 4 questions" in text
    for word in ("answered", "committee", "Stage", "McNemar", "Pairs", "Rows were cut"):
        assert word not in text


def test_it_is_on_the_page_whole_and_safe() -> None:
    text = f"{methods(load_recipe(SMOKE), example())} <b>\u202e"
    page = render(example().model_copy(update={"methods": text}))
    assert 'class="copy"' in page
    assert "&lt;b&gt;" in page


def test_its_tests_are_those_that_are_done() -> None:
    from nightschool.report.proof import SIGNIFICANT
    from nightschool.statistics import CONFIDENCE

    text = methods(load_recipe(SMOKE), example())
    assert f"{100 * CONFIDENCE:.0f}%" in text
    assert "Agresti and Min's interval over questions" in text
    assert f"p is below {SIGNIFICANT}" in text
