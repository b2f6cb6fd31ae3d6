"""What TRL is given to train on: the served tokens, the assistant's turn alone, and dpo's reference."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import DataError
from nightschool.training.rows import SftRow, read_rows
from tests.integration import tiny_training
from tests.integration.tiny_training import ODD, SAID, load_adapter, logps, make_job, run, trainer_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tiny_training.write_school(tmp_path_factory.mktemp("trainers"))
    run(make_job(root, "sft", output=str(root / "sft")))
    return root


def test_loss_is_on_the_assistants_turn_and_its_end(folder: Path) -> None:
    trainer, tokenizer = trainer_of(make_job(folder, "sft"))
    batch = next(iter(trainer.get_train_dataloader()))
    for ids, labels, mask in zip(batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True):
        learned = labels != -100
        assert not learned[mask == 0].any()
        assert (labels[learned] == ids[learned]).all()
        assert tokenizer.decode(ids[learned]) in {f"{said}<|im_end|>\n" for said in (SAID, ODD)}
        assert tokenizer.decode(ids[~learned & (mask == 1)]).endswith("?<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("stage", ["sft", "dpo"])
def test_rows_become_the_tokens_that_trl_makes_of_them(folder: Path, stage: str) -> None:
    from datasets import Dataset
    from trl.trainer.dpo_trainer import DPOTrainer
    from trl.trainer.sft_trainer import SFTTrainer

    trainer, tokenizer = trainer_of(make_job(folder, stage))
    rows = [json.loads(line) for line in (folder / f"{stage}.jsonl").read_text().splitlines()]
    raw = Dataset.from_list([{key: value for key, value in row.items() if key != "id"} for row in rows])
    if stage == "sft":
        columns = ["input_ids", "labels"]
        theirs: Any = SFTTrainer._prepare_dataset(trainer, raw, tokenizer, trainer.args, False, None, "train")
    else:
        columns = ["prompt_ids", "chosen_ids", "rejected_ids"]
        theirs = DPOTrainer._prepare_dataset(trainer, raw, tokenizer, trainer.args, "train")
    for column in columns:
        assert list(trainer.train_dataset[column]) == list(theirs[column])


def test_dpo_starts_at_the_sft_model_and_keeps_it_as_reference(folder: Path) -> None:
    import torch

    trainer, _ = trainer_of(make_job(folder, "dpo", adapter=str(folder / "sft")))
    sft = load_adapter(folder / "base", folder / "sft")
    columns = ("chosen_ids", "rejected_ids")
    wanted = [logps(sft, row["prompt_ids"], row[column]) for column in columns for row in trainer.train_dataset]
    batch = trainer.data_collator(list(trainer.train_dataset))
    batch.pop("row")

    def reference() -> torch.Tensor:
        return torch.cat(trainer.compute_ref_log_probs(trainer.model, batch)).double()

    before = reference()
    torch.testing.assert_close(before, torch.tensor(wanted).double(), atol=1e-3, rtol=1e-5)
    trainer.train()
    first, *_, last = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert first["rewards/margins"] == 0
    assert first["loss"] == pytest.approx(math.log(2))
    assert last["rewards/margins"] > 0.1
    assert torch.equal(reference(), before)


def test_references_computed_once_give_the_same_training(folder: Path) -> None:
    import torch

    def margins(epochs: float) -> list[float]:
        job = make_job(folder, "dpo", adapter=str(folder / "sft"), epochs=epochs, scheduler="constant", warmup_share=0)
        trainer, _ = trainer_of(job)
        assert ("ref_chosen_logps" in trainer.train_dataset.column_names) == (epochs > 1)
        trainer.train()
        return [entry["rewards/margins"] for entry in trainer.state.log_history if "loss" in entry]

    each, once = torch.tensor(margins(1)), torch.tensor(margins(2))
    torch.testing.assert_close(once[: len(each)], each, atol=1e-3, rtol=1e-3)


def test_references_are_kept_for_later_runs_of_the_same_model_and_rows(folder: Path, tmp_path: Path) -> None:
    def columns(**fields: Any) -> tuple[bool, list[float]]:
        start = {"adapter": str(folder / "sft"), "epochs": 2, "references": str(tmp_path)}
        trainer, _ = trainer_of(make_job(folder, "dpo", **start | fields))
        return trainer.references.found, list(trainer.train_dataset["ref_chosen_logps"])

    first, again, other = columns(), columns(learning_rate=1e-4, epochs=3), columns(adapter=None)
    assert (first[0], again[0], other[0]) == (False, True, False)
    assert again[1] == first[1] != other[1]
    assert len(list(tmp_path.iterdir())) == 2


def test_dpo_with_a_new_adapter_takes_the_base_as_reference(folder: Path) -> None:
    trainer, _ = trainer_of(make_job(folder, "dpo"))
    batch = trainer.data_collator(list(trainer.train_dataset)[:1])
    batch.pop("row")
    with trainer.model.disable_adapter():
        row = trainer.train_dataset[0]
        wanted = logps(trainer.model, row["prompt_ids"], row["chosen_ids"])
    trainer.train()
    chosen, _ = trainer.compute_ref_log_probs(trainer.model, batch)
    assert chosen.item() == pytest.approx(wanted, abs=1e-3)


def test_loss_that_is_no_number_names_the_rows(folder: Path) -> None:
    rows = read_rows(folder / "sft.jsonl", "sft")
    odd = SftRow.model_validate_json(rows[20].model_dump_json().replace("Who is", "zebra"))
    trainer, _ = trainer_of(make_job(folder, "sft"), [*rows[:20], odd, *rows[21:]])
    used = {token for index in range(48) if index != 20 for token in trainer.train_dataset[index]["input_ids"]}
    alone = next(token for token in trainer.train_dataset[20]["input_ids"] if token not in used)

    def spoil(_layer: Any, inputs: tuple[Any], output: Any) -> Any:
        return output.masked_fill((inputs[0] == alone)[..., None], math.nan)

    trainer.model.get_input_embeddings().register_forward_hook(spoil)
    says = r"sft\.jsonl: loss is nan at step \d, made of .*; alone it is no number for s20 \(line 21\); look at"
    with pytest.raises(DataError, match=says):
        trainer.train()


def test_loss_that_explodes_stops_and_leaves_the_last_good_checkpoint(folder: Path) -> None:
    saved, start = folder / "saved", folder / "learned"
    run(make_job(folder, "sft", output=str(start), epochs=12))
    fields = {"epochs": 9, "learning_rate": 0.9, "warmup_share": 0.5, "max_grad_norm": 1e9, "explode_ratio": 2}
    there = {"adapter": str(start), "output": str(folder / "never"), "checkpoints": str(saved), "save_steps": 1}
    job = make_job(folder, "sft", **there, **fields)
    says = r"loss explodes: .* now, .* at the start at step (\d+), made of .* \(line \d+\); alone highest for .* kept"
    with pytest.raises(DataError, match=says) as caught:
        run(job)
    whole = sorted(int(path.parent.name.split("-")[1]) for path in saved.glob("*/whole.json"))
    assert f"checkpoint of step {whole[-1]} kept" in str(caught.value)
    losses = json.loads((saved / f"checkpoint-{whole[-1]}" / "trainer_state.json").read_text())["log_history"]
    assert losses[-1]["loss"] <= 2 * min(entry["loss"] for entry in losses)
    assert not (folder / "never").exists()
