"""Several processes look at the same rows and keep the same step as one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nightschool.training.record import read_record
from tests.integration import test_best, tiny_training
from tests.integration.test_best import EVERY_2, LORA, job_of
from tests.integration.test_processes import trained
from tests.integration.tiny_training import make_job, run, weights

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)
folder = test_best.folder


@pytest.mark.parametrize(
    ("launcher", "stage", "more"),
    [
        ("ddp", "sft", {}),
        ("fsdp", "sft", {"lora": None, "learning_rate": 1e-3}),
        ("ddp", "dpo", {"epochs": 2}),
    ],
)
def test_two_processes_choose_the_step_of_one(folder: Path, launcher: str, stage: str, more: dict[str, Any]) -> None:
    name = f"{launcher}-{stage}"
    # Without dropout, which each process draws for itself.
    more = {"epochs": 2, "learning_rate": 1e-2, **more}
    if more.get("lora", LORA):
        more = {"lora": {"r": 8, "alpha": 32}, **more}
    if stage == "dpo":
        run(make_job(folder, "sft", output=str(folder / "dry"), lora=more["lora"]))
        more = {"adapter": str(folder / "dry"), **more}
    first = {**EVERY_2, "early_stopping_threshold": 100}  # none is better by that much: the first look is the best
    wanted = run(job_of(folder, stage, f"{name}-one", first, **more))
    trained(job_of(folder, stage, f"{name}-two", first, launcher=launcher, devices=2, **more))
    mine = read_record(folder / f"{name}-two")
    assert len(mine.evaluations) == len(wanted.evaluations)
    for one, other in zip(mine.evaluations, wanted.evaluations, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-3)
    assert mine.chosen == wanted.chosen == 2 < mine.steps
    file = "adapter_model.safetensors" if more.get("lora") else "model.safetensors"
    ours, theirs = (weights(folder / f"{name}-{many}" / file) for many in ("two", "one"))
    for part, tensor in ours.items():
        assert tensor.sub(theirs[part]).abs().max() < 1e-3, part
