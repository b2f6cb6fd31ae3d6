"""Rows end to end in one sequence: to the model each is what it is alone, and training comes out the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import DataError
from tests.integration import tiny_training
from tests.integration.tiny_training import make_job, run, trainer_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)

KINDS = ("eager", "sdpa")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of many lengths, and a base that reads what stands before: one of random weights hardly does."""
    root = tiny_training.write_school(tmp_path_factory.mktemp("packing"))
    rows = [json.loads(line) for line in (root / "sft.jsonl").read_text().splitlines()]
    for place, row in enumerate(rows):
        row["prompt"][0]["content"] *= 1 + place % 5
        row["weight"] = (1.0, 3.0)[place % 2]
    (root / "sft.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(make_job(root, "sft", output=str(root / "whole"), lora=None, epochs=3, learning_rate=3e-3))
    return root


def logits_of(model: Any, batch: dict[str, Any]) -> Any:
    import torch

    batch = {name: part for name, part in batch.items() if name not in ("row", "labels")}
    model.eval()
    with torch.no_grad():
        return model(**batch, use_cache=False).logits[0]


@pytest.mark.parametrize("kind", KINDS)
def test_logits_of_packed_rows_are_those_of_each_alone(folder: Path, kind: str) -> None:
    import torch

    trainer, _ = trainer_of(make_job(folder, "sft", model=str(folder / "whole"), padding_free=True))
    trainer.model.set_attn_implementation(kind)
    rows = [trainer.train_dataset[place] for place in (0, 4, 2, 3)]
    batch = trainer.data_collator(rows)
    assert batch["input_ids"].shape == (1, sum(len(row["input_ids"]) for row in rows))
    assert (batch["position_ids"][0] == 0).sum() == len(rows)
    packed = logits_of(trainer.model, batch)
    alone = [torch.tensor([row["input_ids"]]) for row in rows]
    wanted = torch.cat([logits_of(trainer.model, {"input_ids": ids}) for ids in alone])
    torch.testing.assert_close(packed, wanted, atol=1e-4, rtol=1e-4)
    mixed = logits_of(trainer.model, {"input_ids": batch["input_ids"]})
    assert (mixed - wanted).abs().max() > 0.1, "without positions that begin anew, rows read each other"


def test_a_packed_batch_is_the_same_training_weights_and_looks_included(folder: Path) -> None:
    def losses(name: str, *, free: bool) -> tuple[list[float], list[float], Any]:
        there = {"output": str(folder / name), "checkpoints": str(folder / f"{name}-saved"), "epochs": 2}
        held = {"held": str(folder / "sft.jsonl"), "evaluate": {"eval_steps": 4}}
        record = run(make_job(folder, "sft", padding_free=free, **there, **held))
        return [step.loss for step in record.losses], [one.loss or 0 for one in record.evaluations], record

    padded, packed = losses("padded", free=False), losses("packed", free=True)
    assert packed[0] == pytest.approx(padded[0], rel=1e-3)
    assert packed[1] == pytest.approx(padded[1], rel=1e-3)
    assert packed[2].tokens == padded[2].tokens


def test_a_model_that_mixes_rows_is_refused_before_it_is_trained(folder: Path) -> None:
    from nightschool.training.packing import check_apart

    trainer, _ = trainer_of(make_job(folder, "sft", model=str(folder / "whole"), padding_free=True))
    check_apart(trainer)
    forward = trainer.model.forward

    def blind(*args: Any, position_ids: Any = None, **kwargs: Any) -> Any:
        return forward(*args, **kwargs)

    trainer.model.forward = blind
    with pytest.raises(DataError, match=r"rows in one sequence read each other.*padding_free: false"):
        check_apart(trainer)
