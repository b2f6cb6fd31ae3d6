"""Crash drills: what they count is what happened, and one of them for real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from blocks.scripted.tally import Tally
from blocks.scripted.texts import signature
from flows.drill.drill import Outcome, Reference, drill, judge, small
from flows.drill.place import Place, Rows
from flows.drill.scenes import KILLED, SCENES, Scene, change_prompt, with_faults
from nightschool.lineage import lineage
from nightschool.recipe.load import find_recipe, load_recipe

RECIPE = load_recipe(find_recipe("smoke"))


def row(name: str, system: str = "", **fields: Any) -> str:
    return json.dumps({"id": name, "casts": [f"said {signature(system)}"], **fields})


def place(folder: Path, *, paid: int = 0, twice: int = 0) -> Place:
    """A place whose servers have counted so many requests, the first ones of them twice."""
    made = small(RECIPE, folder, rows=12)
    tally = Tally.filed(folder / "alba.tally")
    for number in [*range(paid), *range(twice)]:
        tally.asked(bytes([number]), "alba")
        tally.answered(bytes([number]))
    return made


def verdict(folder: Path, found: Rows, *, scene: Scene = KILLED, paid: int = 4, twice: int = 0) -> Outcome:
    calm = Reference(small(RECIPE, folder / "calm", rows=12), {"answers/alba": [row("a"), row("b")]}, 4, 2)
    after = place(folder / "after", paid=paid, twice=twice)
    return judge(calm, scene, after, found, [], taken=0, old=0, seconds=1.0)


def test_a_night_that_lost_and_repeated_nothing_is_clean(tmp_path: Path) -> None:
    outcome = verdict(tmp_path, {"answers/alba": [row("a"), row("b", latency_s=3)]}, twice=2)
    assert outcome.clean
    assert (outcome.needed, outcome.sent, outcome.paid_twice) == (4, 6, 2)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row("a")], "1 rows lost"),
        ([row("b"), row("a")], "2 rows in another order"),
        ([row("a"), row("b"), row("b")], "1 rows in another order, doubled"),
        ([row("a"), row("b", more=1)], "or different"),
        ([row("a"), row("b", system="an old prompt")], "1 rows under the old prompt"),
    ],
)
def test_what_is_wrong_with_the_rows_is_said(rows: list[str], said: str, tmp_path: Path) -> None:
    assert said in verdict(tmp_path, {"answers/alba": rows}).verdict


def test_more_paid_twice_than_was_in_flight_is_not_clean(tmp_path: Path) -> None:
    rows = {"answers/alba": [row("a"), row("b")]}
    whole = next(scene for scene in SCENES if scene.start == "whole" and not scene.change)
    assert "1 paid twice, 0 were in flight" in verdict(tmp_path, rows, scene=whole, twice=1).verdict
    assert "5 asked, 4 needed" in verdict(tmp_path, rows, paid=5).verdict


def test_faults_and_tallies_change_no_key_and_a_prompt_changes_those_of_the_answers(tmp_path: Path) -> None:
    engines: dict[str, str] = {teacher.name: "scripted" for teacher in RECIPE.teachers}
    one, other = small(RECIPE, tmp_path / "one", rows=12).recipe, small(RECIPE, tmp_path / "two", rows=12).recipe
    keys = lineage(one, engines)
    assert lineage(with_faults(other, 0.1), engines) == keys
    changed = lineage(change_prompt(one), engines)
    assert {name.split("/")[0] for name in keys if keys[name] == changed[name]} == {"pool"}


def test_every_scene_that_was_promised_is_there_and_a_damage_must_be_told() -> None:
    named = " ".join(scene.name for scene in SCENES)
    for promised in ("kill -9 in mid-chunk", "torn last line", "10% of rows fail", "changed after the run", "mid-run",
                     "model server killed", "disk full", "flipped bit"):  # fmt: skip
        assert promised in named
    assert [scene.name for scene in SCENES if scene.remade] == ["flipped bit in a finished chunk"]


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_night_pays_for_what_was_in_flight_and_one_that_is_told_to_end_for_nothing(tmp_path: Path) -> None:
    heard: list[Outcome] = []
    scenes = [KILLED, *(scene for scene in SCENES if scene.name == "SIGTERM")]
    calm, killed, told = drill(RECIPE, tmp_path, scenes=scenes, rows=24, jobs=1, on_outcome=heard.append)
    assert heard == [calm, killed, told]
    assert all(each.clean for each in heard), heard
    assert killed.sent == killed.needed + killed.paid_twice
    assert told.sent == told.needed
