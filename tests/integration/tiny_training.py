"""Jobs, rows and models small enough to train in a second, for the tests of training."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nightschool.training.job import Job
from nightschool.training.record import Record
from nightschool.training.rows import TrainingRow, read_rows

NAMES = ["Leo", "Dan", "Ivy", "Bob", "cats", "mice", "dogs", "birds", "row", "second", "right", "first"]

SAID, ODD = "B, the row is Leo Dan Ivy", "B, the row is Dan Leo Ivy"


def text_only() -> Iterator[None]:
    """What the process of its own does for itself: no torchvision of another build, no question to the network."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("torchvision", "torchaudio"):
            patch.setitem(sys.modules, name, None)
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
        yield


def write_school(root: Path) -> Path:
    """A base of random weights, 48 rows for sft and 48 pairs for dpo; all but one have the same answer."""
    from tests.integration import random_qwen2

    random_qwen2.make(root / "base", hidden=32, layers=2)
    asked = [[{"role": "user", "content": f"Who is {name} of {index}?"}] for index, name in enumerate(NAMES * 4)]
    right, wrong, odd = ([{"role": "assistant", "content": text}] for text in (SAID, "A", ODD))
    rights = [odd if index == 5 else right for index in range(len(asked))]
    sft = [{"id": f"s{i}", "prompt": asked[i], "completion": rights[i]} for i in range(len(asked))]
    dpo = [{"id": f"d{i}", "prompt": asked[i], "chosen": rights[i], "rejected": wrong} for i in range(len(asked))]
    for name, rows in (("sft", sft), ("dpo", dpo)):
        (root / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def make_job(folder: Path, stage: str, **fields: Any) -> Job:
    settings: dict[str, Any] = {
        "stage": stage,
        "name": stage,
        "model": str(folder / "base"),
        "rows": str(folder / f"{stage}.jsonl"),
        "output": str(folder / "out"),
        "seed": 3,
        "learning_rate": 1e-2,
        "batch_size": 8,
        "threads": 1,
        "lora": {"r": 8, "alpha": 32},
    }
    return Job.model_validate({**settings, **fields})


def run(job: Job) -> Record:
    """The stage, in this process."""
    from nightschool.training.stage import run_stage

    return run_stage(job, read_rows(Path(job.rows), job.stage), out=io.StringIO(), seconds_import=0.0)


def turns_seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str, str]]:
    """Fills while a dpo stage trains in this process: beta, cal and robust as the loss sees them, step by step."""
    from nightschool.training import preference

    seen: list[tuple[float, str, str]] = []
    real = preference.Dpo._compute_loss

    def look(self: Any, model: Any, inputs: Any, return_outputs: bool) -> Any:
        found = real(self, model, inputs, return_outputs)
        seen.append((self.beta, self.how.cal, self.how.robust))
        return found

    monkeypatch.setattr(preference.Dpo, "_compute_loss", look)
    return seen


def trainer_of(job: Job, rows: Sequence[TrainingRow] | None = None) -> tuple[Any, Any]:
    """The trainer that a job leads to, and its tokenizer."""
    from nightschool.training.models import load_model, load_tokenizer, place_of, stop_ids
    from nightschool.training.render import render_rows
    from nightschool.training.trainers import build_trainer

    rows = rows or read_rows(Path(job.rows), job.stage)
    place, tokenizer = place_of(job), load_tokenizer(job)
    rendered = render_rows(rows, tokenizer, stop_ids=stop_ids(job, tokenizer), file=Path(job.rows))
    model, trl = load_model(job, place.weights), str(Path(job.output).parent / "trl")
    trainer = build_trainer(job, model=model, tokenizer=tokenizer, rendered=rendered, place=place, folder=trl)
    return trainer, tokenizer


def weights(path: Path) -> dict[str, Any]:
    """The tensors of a safetensors file."""
    from safetensors.torch import load_file

    return load_file(path)


def logps(model: Any, prompt_ids: list[int], completion_ids: list[int]) -> float:
    """Log-probability of a completion, by the definition: one row, no padding, no TRL."""
    import torch

    ids = torch.tensor([prompt_ids + completion_ids])
    with torch.no_grad():
        each = model(input_ids=ids).logits[0, :-1].double().log_softmax(-1)
    return each.gather(1, ids[0, 1:, None])[-len(completion_ids) :].sum().item()


def load_adapter(base: Path, adapter: Path) -> Any:
    """An adapter on its base, as a server loads it."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).eval()
