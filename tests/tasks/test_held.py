"""Rows that a stage is looked at by: of the validation side or held back, never learned, never of the test side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nightschool.errors import DataError
from nightschool.mended import Seen
from nightschool.recipe.load import load_recipe
from nightschool.records import Ruling
from tasks import balance, held, sft, stages
from tasks.night import Night
from tests.file_night import make, ruled, write

EVALUATE = "sft.evaluate={}"


def ids(night: Night, side: Seen) -> set[str]:
    return {row.id for row, _ in sft.lessons(night, stages.learner(night).stage("sft"), side)}


def test_without_splits_a_share_of_the_questions_is_held_back_whatever_else_is_asked(tmp_path: Path) -> None:
    night = ruled(write(tmp_path, 60), "sft.evaluate={share: 0.3}")
    kept = {ruling.id: ruling for ruling in balance.taught(night)}
    train, back = ids(night, "train"), ids(night, "validation")
    assert train | back == kept.keys()
    assert not train & back
    assert 0 < len(back) < len(train)
    fewer = ruled(write(tmp_path, 50), "sft.evaluate={share: 0.3}")
    assert ids(fewer, "validation") == back & {ruling.id for ruling in balance.taught(fewer)}
    assert ids(ruled(write(tmp_path, 60)), "validation") == set()


def test_with_splits_the_validation_side_is_looked_at_and_the_test_side_never(tmp_path: Path) -> None:
    night = ruled(write(tmp_path, 60), EVALUATE, "splits={validation: 0.2, test: 0.2}", "validate={}")
    make(night, {}, "splits")
    by_side = {side: {row.id for row in night.each(balance.out(night), Ruling) if row.side == side}
               for side in ("train", "validation", "test")}  # fmt: skip
    assert ids(night, "train") == by_side["train"]
    assert ids(night, "validation") == by_side["validation"]
    assert by_side["test"]
    stage = stages.learner(night).stage("sft")
    how = stage.section.evaluate
    assert how is not None
    section = stage.section.model_copy(update={"evaluate": how.model_copy(update={"rows": 3})})
    assert len(held.drawn(night, replace(stage, section=section), sorted(by_side["validation"]))) == 3
    with pytest.raises(DataError, match="no row is held back"):
        held.drawn(night, stage, [])


def test_pairs_are_drawn_of_the_validation_side_too_once_dpo_is_looked_at(tmp_path: Path) -> None:
    sets = ("splits={validation: 0.2, test: 0.2}", "validate={}")
    plain = Night.plan(load_recipe(write(tmp_path, 60), sets=sets))
    looked = Night.plan(load_recipe(tmp_path / "r.yaml", sets=[*sets, "dpo.evaluate={}"]))
    assert stages.sampled(plain, stages.learner(plain).stage("dpo")) == ("train",)
    assert stages.sampled(looked, stages.learner(looked).stage("dpo")) == ("train", "validation")
    assert plain.keys["pairs/dpo"] != looked.keys["pairs/dpo"]
    assert plain.keys["sft/sft"] == looked.keys["sft/sft"]
    without = Night.plan(load_recipe(tmp_path / "r.yaml", sets=["dpo.evaluate={}"]))
    assert stages.sampled(without, stages.learner(without).stage("dpo")) == ("train",)
