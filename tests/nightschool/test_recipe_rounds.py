"""Self-guided loops as a recipe writes them, as they unroll, and how their keys keep what was paid for."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.forecast import forecast
from nightschool.lineage import Keys, lineage
from nightschool.recipe.learning import Dpo
from nightschool.recipe.load import dump_recipe, find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.small import dry
from tests.nightschool.bad_recipe import RECIPE, message_of, recipe_folder

LOOP = """\
sft: {learning_rate: 1e-3}
pairs: {}
dpo:
  - name: better
    learning_rate: 1e-4
    epochs: 4
    schedule:
      - {epochs: 1, beta: 0.05}
      - {epochs: 2, cal: center}
      - {epochs: 1, cal: center, robust: drop}
    rounds: {most: 3, at_least: 0.01, by: interval}
  - {name: last, learning_rate: 1e-5}
"""
SFT = "sft: {learning_rate: 1e-3}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return recipe_folder(tmp_path, monkeypatch)


def loaded(stages: str = LOOP, *sets: str) -> Recipe:
    Path("r.yaml").write_text(RECIPE.replace(SFT, stages))
    return load_recipe(Path("r.yaml"), sets=sets)


def keys(recipe: Recipe) -> Keys:
    return lineage(recipe, dict.fromkeys((model.name for model in recipe.models), "scripted"))


def test_a_loop_unrolls_into_rounds_that_begin_with_one_another() -> None:
    recipe = loaded()
    found = {stage.name: stage for stage in recipe.stages}
    assert list(found) == ["sft", "better-1", "better-2", "better-3", "better", "last"]
    assert [stage.start for stage in found.values()] == ["base", "sft", "better-1", "better-2", "sft", "better"]
    assert [stage.reference for stage in found.values()] == ["base", "sft", "better-1", "better-2", "sft", "better"]
    assert [stage.gate for stage in found.values()] == ["", "better-0", "better-1", "better-2", "better-3", ""]
    assert [stage.kind for stage in found.values()] == ["sft", "dpo", "dpo", "dpo", "rounds", "dpo"]
    assert all(stage.lora == found["sft"].lora for stage in found.values())
    learner = recipe.learner
    assert learner is not None
    assert learner.measured == ("base", "sft", "better", "last"), "rounds are measured at their gates alone"


def test_every_round_has_the_whole_schedule_and_nothing_of_the_loop() -> None:
    rounds = [stage.section for stage in loaded().stages if stage.passing and isinstance(stage.section, Dpo)]
    assert [section.schedule for section in rounds] == [loaded().dpo[0].schedule] * 3
    assert [section.rounds for section in rounds] == [None] * 3
    assert [rounds[-1].at(epoch).robust for epoch in range(4)] == ["none", "none", "none", "drop"]


def test_a_number_is_a_loop_and_a_resolved_recipe_is_the_same_one() -> None:
    text = LOOP.replace("{most: 3, at_least: 0.01, by: interval}", "2")
    assert [stage.name for stage in loaded(text).stages if stage.loop] == ["better-1", "better-2", "better"]
    again = Path("again.yaml")
    again.write_text(dump_recipe(loaded()))
    assert load_recipe(again) == loaded()


def test_a_reference_that_is_named_stays_in_every_round() -> None:
    found = loaded(LOOP.replace("rounds:", "reference: base\n    rounds:"))
    assert {stage.reference for stage in found.stages if stage.loop} == {"base"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: last", "name: better-2", "better-2 is named twice"),
        ("name: last", "name: last, start: better-2", "better-2 is no earlier stage"),
        ("name: better", "name: better\n    start: base", "a first round that fails leaves base"),
        ("sft: {", "sft: {lora: none, ", None),
        ("name: better", "name: better\n    prompt: p.txt", "every round is asked as its start was"),
        ("name: better", "name: better\n    teaches: critiques", "critiques are the same in every round"),
        ("most: 3", "most: 0", "rounds"),
        ("{most: 3, at_least: 0.01, by: interval}", "99", "rounds"),
    ],
)
def test_loops_that_cannot_be_are_refused_when_the_recipe_loads(old: str, new: str, said: str | None) -> None:
    text = LOOP.replace(old, new, 1)
    if said is None:
        assert all(stage.whole for stage in loaded(text).stages), "all weights, round for round"
        return
    assert said in message_of(RECIPE.replace(SFT, text))


def test_an_adapter_on_a_whole_start_has_nothing_to_fall_back_on() -> None:
    text = LOOP.replace("sft: {", "sft: {lora: none, ").replace("name: better", "name: better\n    lora: {r: 4}")
    assert "a first round that fails leaves sft, which is no stage like it" in message_of(RECIPE.replace(SFT, text))


def test_a_round_has_the_key_of_a_stage_alone_and_more_rounds_rename_none() -> None:
    alone = keys(loaded(LOOP.split("    rounds:")[0]))
    three, two = keys(loaded()), keys(loaded(LOOP, "dpo.0.rounds.most=2"))
    assert (three["pairs/better-1"], three["dpo/better-1"]) == (alone["pairs/better"], alone["dpo/better"])
    common = {place for place in two if "better-" in place}
    assert {place: two[place] for place in common} == {place: three[place] for place in common}
    assert two["rounds/better"] != three["rounds/better"]


def test_another_gate_renames_what_is_kept_and_no_measurement() -> None:
    before, after = keys(loaded()), keys(loaded(LOOP, "dpo.0.rounds.at_least=0.02"))
    renamed = {place for place in before if before[place] != after[place]}
    assert {"rounds/better", "pairs/last", "dpo/last"} <= renamed
    assert not any("better-" in place for place in renamed)


def test_gates_are_forecast_and_a_dry_run_walks_two_rounds() -> None:
    ahead = {one.phase: one for one in forecast(loaded())}
    assert (ahead["dpo"].chunks, ahead["rounds"].chunks) == (4, 5)
    assert ahead["rounds"].requests > 0
    small = dry(load_recipe(find_recipe("smoke"), sets=["dpo.rounds=5"]), store="elsewhere")
    assert [stage.name for stage in small.stages if stage.loop] == ["dpo-1", "dpo-2", "dpo"]
