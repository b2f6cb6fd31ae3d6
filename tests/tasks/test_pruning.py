"""A stage in training under a search that watches it."""

from __future__ import annotations

from typing import Any

import pytest

from nightschool.errors import Pruned
from nightschool.recipe.tune import Tune
from nightschool.tune import Scored, Trial
from tasks.pruning import look, watched


def search(**changes: Any) -> Tune:
    return Tune.model_validate({"fields": {"sft.epochs": [1, 2]}} | changes)


def complete(number: int, loss: float) -> Trial:
    curve = {"sft": ((1.0, loss),)}
    return Trial(number=number, night=f"n.{number}", state="complete", values={}, score=Scored(value=0.5), looks=curve)


def test_a_stage_that_falls_behind_is_ended_where_a_search_watches_and_nowhere_else() -> None:
    others = [complete(n, loss) for n, loss in enumerate((0.3, 0.4, 0.5))]
    behind = {"reached": 0.41, "upwards": False, "epoch": 1.0, "loss": 0.41, "best": 3}
    look("sft", behind)
    with watched(
        search(warm_up=3), [*others, others[0].model_copy(update={"state": "pruned", "looks": {"sft": ((1.0, 0.1),)}})]
    ):
        look("sft", {**behind, "reached": 0.4})
        look("dpo", behind)
        look("sft", None)
        with pytest.raises(Pruned, match=r"sft reached 0\.41 by epoch 1, the others' median is 0\.4"):
            look("sft", behind)
    for other in ({"warm_up": 4}, {"pruner": "halving"}):
        with watched(search(**other), others):
            look("sft", behind)
    look("sft", behind)
