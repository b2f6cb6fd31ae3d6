"""Whether a machine can train each stage as it asks to be, looked at before a night begins."""

from __future__ import annotations

import pytest

from blocks.machine import gpus
from blocks.preflight.training import refuse_stages, stage_checks
from nightschool.errors import RecipeError
from tests.blocks.test_preflight import recipe


def test_stages_that_can_be_trained_are_told() -> None:
    assert [(found.outcome, found.detail) for found in stage_checks(recipe())] == [("ok", "sft from base")]
    refuse_stages(recipe())


@pytest.mark.skipif(bool(gpus()), reason="there is a device here")
def test_what_this_machine_cannot_do_is_refused_with_the_reason() -> None:
    bad = recipe(sft={"name": "solver", "learning_rate": 1e-3, "lora": {"quantize": "4bit"}, "liger": True})
    found = stage_checks(bad)
    assert [(one.name, one.outcome) for one in found] == [("stage solver", "fail")] * 2
    assert found[0].detail == "lora.quantize: 4bit needs a CUDA device, and there is none here"
    with pytest.raises(RecipeError, match=r"sft\.lora\.quantize: stage solver: 4bit needs a CUDA device"):
        refuse_stages(bad)
