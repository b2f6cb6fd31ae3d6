"""A stage's own validation in a recipe: what is refused, and what it changes of a night's keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.lineage import lineage
from nightschool.recipe.load import load_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.report.curves import loss
from nightschool.report.evaluated import Evaluated, Look
from nightschool.report.page import render
from nightschool.report.terminal import summary_lines
from tests.file_night import write
from tests.nightschool.example_report import example


def recipe(folder: Path, *sets: str) -> Recipe:
    return load_recipe(write(folder), sets=sets)


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("sft.evaluate={metric_for_best_model: reward_margin}", r"sft has no reward_margin.*loss, mean_token_accuracy"),
        ("dpo.evaluate={metric_for_best_model: mean_token_accuracy}", r"dpo has no mean_token_accuracy"),
        ("sft.evaluate={eval_steps: 2.5}", r"steps are whole"),
        ("sft.evaluate={patience: 3}", r"evaluate\.patience"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field(tmp_path: Path, field: str, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipe(tmp_path, field)
    assert re.search(says, " ".join(str(caught.value).split()))


def test_a_stage_that_is_not_looked_at_keeps_its_key(tmp_path: Path) -> None:
    """Nights that were trained before there was anything to look by are not trained again."""
    engines = {"ann": "scripted", "ben": "scripted", "kim": "transformers"}
    plain, null = (lineage(recipe(tmp_path, *sets), engines) for sets in ((), ("sft.evaluate=null",)))
    looked = lineage(recipe(tmp_path, "sft.evaluate={}"), engines)
    other = lineage(recipe(tmp_path, "sft.evaluate={share: 0.2}"), engines)
    assert plain == null
    assert len({keys["sft/sft"] for keys in (plain, looked, other)}) == 3
    assert plain["committee"] == looked["committee"]


HELD_OUT = ("splits={validation: 0.2, test: 0.2}", "sft.evaluate={}", "validate={side: validation}")
GATE = "gates=[{name: good, metric: accuracy, stage: sft, at_least: 0.5}]"


def test_gates_are_not_judged_by_the_rows_that_a_step_was_chosen_by(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"validate\.side.*judged by the rows that the step of sft is chosen by"):
        recipe(tmp_path, *HELD_OUT, GATE)
    assert recipe(tmp_path, *HELD_OUT).validate_  # a trial of a search, which is to be chosen by them
    assert recipe(tmp_path, *HELD_OUT, GATE, "validate.side=test")


def test_what_was_asked_of_the_test_side_stands_for_every_night_with_the_same_weights(tmp_path: Path) -> None:
    """Another dpo asks nothing of base and sft again; another choice of sft's step asks sft's new weights once."""
    engines = {"ann": "scripted", "ben": "scripted", "kim": "transformers"}

    def asked(*sets: str) -> dict[str, str]:
        keys = lineage(recipe(tmp_path, "splits={validation: 0.2, test: 0.2}", "validate={}", *sets), engines)
        return {place: key for place, key in keys.items() if place.startswith("validate/")}

    plain, dpo, chosen = asked(), asked("dpo.learning_rate=2e-4"), asked("sft.evaluate={}")
    assert plain.keys() == {"validate/base", "validate/sft", "validate/dpo"}
    assert {place for place in plain if plain[place] != dpo[place]} == {"validate/dpo"}
    assert {place for place in plain if plain[place] != chosen[place]} == {"validate/sft", "validate/dpo"}


def test_what_was_left_is_told() -> None:
    looks = tuple(Look(step=step, loss=loss) for step, loss in ((5, 0.5), (10, 0.25), (15, float("nan"))))
    found = Evaluated(rows=1200, metric="loss", looks=looks, chosen=10, last=20, best=True)
    assert found.looks[-1].loss is None
    assert found.told == "step 10 of 20 kept, best of 3 by loss on 1,200 held-back rows (0.25)"
    early = found.model_copy(update={"early": True, "last": 15})
    assert early.told.endswith("(0.25); no later one was better, so it ended early")
    watched = found.model_copy(update={"best": False, "chosen": 20})
    assert watched.told == "step 20 of 20 kept, the last one; loss on 1,200 held-back rows was watched"


def test_the_step_that_was_left_is_told_drawn_and_in_the_table() -> None:
    told = "step 48 of 78 kept, best of 9 by loss on 57 held-back rows (0.6162)"
    report = example()
    assert f"dpo        {told}" in " ".join(("", *summary_lines(report)))
    page = render(report)
    assert told in page
    assert page.count("step 48 kept") == 1, "in the one plot whose stage was looked at"
    plot = loss("dpo", report.losses["dpo"], 2, held=report.evaluated["dpo"])
    assert plot is not None
    assert plot.head[-1] == "loss, held back"
    assert {row[0]: row[-1] for row in plot.rows}["48"] == "0.6162"
    alone = loss("dpo", report.losses["dpo"], 2)
    assert alone is not None
    assert "held" not in alone.svg + alone.caption + " ".join(alone.head)
