"""What training needs, looked at before a night."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.preflight.preflight import engine_check
from blocks.preflight.training import refuse_stages
from nightschool.errors import RecipeError
from tests.half_night import Make


def test_a_launcher_that_is_not_installed_is_refused_before_the_night() -> None:
    found = engine_check("deepspeed")
    assert (found.outcome, found.name) == ("fail", "deepspeed")
    assert "launcher: fsdp" in found.mend


@pytest.mark.parametrize("store", ["runs", "memory://shared"])
def test_machines_that_train_together_need_a_store_that_all_find(make: Make, store: str, tmp_path: Path) -> None:
    several = "sft={learning_rate: 1e-3, launcher: ddp, devices: 1, machines: 2, main_address: head}"
    refuse_stages(make(several, f"store={tmp_path}").recipe)
    with pytest.raises(RecipeError, match=f"do not find what lies in the store {store}"):
        refuse_stages(make(several, f"store={store}").recipe)
