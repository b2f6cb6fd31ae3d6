"""Weights of classes, rows and lessons in the loss of sft, beside the loss as it is written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nightschool.balance import Card, fates
from tests.integration import tiny_training
from tests.integration.tiny_training import make_job, trainer_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_training.write_school(tmp_path_factory.mktemp("weights"))


@pytest.mark.parametrize("micro", [None, 4], ids=["at once", "in parts"])
def test_weights_of_classes_and_rows_are_in_the_loss_as_it_is_written_down(
    folder: Path, tmp_path: Path, micro: int | None
) -> None:
    """Sum over rows of weight x -log p(completion), over all tokens that are learned; and its gradient.

    Weights: of 28:72 classes by `balance` (method weights), on top of a filter's own, times a lesson's.
    """
    import torch
    from transformers import AutoModelForCausalLM

    rows = [json.loads(line) for line in (folder / "sft.jsonl").read_text().splitlines()][:25]
    classes = ["yes" if place < 7 else "no" for place in range(25)]
    own = [0.5 if place % 5 == 0 else 1.0 for place in range(25)]
    cards = [Card(str(place), classes[place], "", own[place]) for place in range(25)]
    balanced = [fate.weight for fate in fates(cards, method="weights", seed=0)]
    mass = {name: sum(w for w, one in zip(own, classes, strict=True) if one == name) for name in ("yes", "no")}
    by_hand = [w * sum(own) / (2 * mass[name]) for w, name in zip(own, classes, strict=True)]
    assert balanced == pytest.approx(by_hand), "each class counts for a half, and all rows for as much as before"
    for row, weight, name in zip(rows, balanced, classes, strict=True):
        row |= {"weight": 2.0 * weight, "completion": [{"role": "assistant", "content": f"So it is {name}, I think"}]}
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    job = make_job(folder, "sft", rows=str(tmp_path / "rows.jsonl"), lora=None, batch_size=25, micro_batch=micro)
    trainer, _ = trainer_of(job)
    model = AutoModelForCausalLM.from_pretrained(folder / "base").eval()
    total, tokens = torch.zeros(()), 0
    for row, ids in zip(rows, trainer.train_dataset, strict=True):
        learned = sum(label != -100 for label in ids["labels"])
        each = model(input_ids=torch.tensor([ids["input_ids"]])).logits[0, :-1].log_softmax(-1)
        said = each.gather(1, torch.tensor(ids["input_ids"])[1:, None])[-learned:]
        total, tokens = total - row["weight"] * said.sum(), tokens + learned
    wanted = total / tokens
    wanted.backward()
    norm = torch.stack([one.grad.norm() for one in model.parameters() if one.grad is not None]).norm()
    trainer.train()
    first = trainer.state.log_history[0]
    assert first["loss"] == pytest.approx(wanted.item(), rel=1e-4)
    assert first["grad_norm"] == pytest.approx(norm.item(), rel=1e-3)
