"""What TRL's own trainers make of exported rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.export import Order, export
from tests import file_night
from tests.integration import tiny_training

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tiny_training.write_school(tmp_path_factory.mktemp("exports"))
    night = file_night.ruled(file_night.write(root))
    for chunk in file_night.STEPS["sft"].chunks(night):
        night.store.commit(chunk, rows=(), dropped=(), figures={})
    file_night.paired(night, rows=4)
    export(night, Order("trl"), root / "trl")
    export(night, Order("trl", phase="pairs"), root / "pairs")
    return root


def trained(trainer: type[Any], config: type[Any], folder: Path, file: Path) -> float:
    from datasets import load_dataset
    from transformers import AutoTokenizer

    args = config(
        output_dir=str(folder / "out"), max_steps=1, report_to=[], use_cpu=True, per_device_train_batch_size=2
    )
    rows = load_dataset("json", data_files=str(file), split="train", cache_dir=str(folder / "cache"))
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    made = trainer(model=str(folder / "base"), args=args, train_dataset=rows, processing_class=tokenizer)
    return made.train().training_loss


def test_sft_trains_on_an_export(folder: Path) -> None:
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    assert trained(SFTTrainer, SFTConfig, folder, folder / "trl" / "train.jsonl") > 0


def test_dpo_trains_on_exported_pairs(folder: Path) -> None:
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    assert trained(DPOTrainer, DPOConfig, folder, folder / "pairs" / "preferences.jsonl") > 0
