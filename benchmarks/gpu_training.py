"""Tokens a second and model FLOPs utilisation of training a 14B-shaped model of random weights on one GPU.

`python -m benchmarks.gpu_training [--steps 8] [--length 1024] [--batch 8] [--peak-tflops 989] [--folder DIR] [--json]`

Three stages through our own door: sft with LoRA r=128 in bf16, the same on 4-bit weights (QLoRA), and dpo whose
reference is computed once. Shape of Qwen3-14B (40 layers, 5,120 wide), the vocabulary cut to 600 tokens: what that
saves of the head is not counted either. FLOPs per token by a frozen base under LoRA: 2 forward and 2 backward per
parameter, and as much again of the forward with gradient checkpointing, which is not counted as useful.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from nightschool.training.job import Job
from nightschool.training.record import Record, read_record

SHAPE: dict[str, Any] = {"hidden_size": 5120, "intermediate_size": 17408, "num_hidden_layers": 40, "head_dim": 128}
HEADS: dict[str, Any] = {"num_attention_heads": 40, "num_key_value_heads": 8}
USEFUL = 4  # FLOPs per parameter and token: forward 2, and 2 for the gradients that pass through frozen weights


def make_base(folder: Path) -> int:
    """Write the model; how many parameters it has."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from tests.integration import random_qwen2

    random_qwen2.make(folder, hidden=32, layers=1)  # its tokenizer
    config = Qwen3Config(vocab_size=600, max_position_embeddings=4096, eos_token_id=2, pad_token_id=0, **SHAPE, **HEADS)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = Qwen3ForCausalLM(config)
    torch.set_default_dtype(before)
    model.save_pretrained(folder)
    return model.num_parameters()


def write_rows(folder: Path, rows: int, length: int) -> None:
    """Rows of about `length` tokens for sft, and half as long on each side for dpo."""
    said = "Row Leo Dan Ivy cats mice dogs birds " * (length // 16)
    prompt = [{"role": "user", "content": "Who?"}]
    half, other = said[: len(said) // 2], said[len(said) // 4 : 3 * len(said) // 4]
    with (folder / "sft.jsonl").open("w") as sft, (folder / "dpo.jsonl").open("w") as dpo:
        for index in range(rows):
            sft.write(json.dumps({"id": f"s{index}", "prompt": prompt, "completion": _turn(said)}) + "\n")
            pair = {"id": f"d{index}", "prompt": prompt, "chosen": _turn(half), "rejected": _turn(other)}
            dpo.write(json.dumps(pair) + "\n")


def _turn(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def train(folder: Path, name: str, stage: str, batch: int, lora: dict[str, Any], epochs: int) -> Record:
    """One stage in a process of its own."""
    settings: dict[str, Any] = {
        "stage": stage, "name": name, "model": str(folder / "base"), "rows": str(folder / f"{stage}.jsonl"),
        "output": str(folder / name), "learning_rate": 1e-5, "batch_size": batch, "epochs": epochs, "leaks": "allow",
        "max_length": 8192, "gradient_checkpointing": True, "lora": {"r": 128, "alpha": 256, **lora},
    }  # fmt: skip
    path = folder / f"{name}.json"
    path.write_text(Job.model_validate(settings).model_dump_json())
    done = subprocess.run(
        [sys.executable, "-m", "nightschool.training", str(path)], stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name}: ended with {done.returncode}")
    return read_record(folder / name)


def measure(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """A line for each stage."""
    parameters = make_base(folder / "base")
    write_rows(folder, options.steps * options.batch, options.length)
    found = []
    stages = (("lora", "sft", {}, 1), ("qlora", "sft", {"quantize": "4bit"}, 1), ("dpo", "dpo", {}, 2))
    for name, stage, lora, epochs in stages:
        record = train(folder, name, stage, options.batch, lora, epochs)
        speed = record.tokens / record.seconds
        share = speed * parameters * USEFUL / (options.peak_tflops * 1e12)
        found.append(
            {
                "stage": name,
                "parameters": parameters,
                "tokens_per_s": round(speed, 1),
                "mfu": round(share, 4),
                "peak_device_gb": round(record.peak_device_bytes / 1e9, 1),
                "seconds_per_step": round(record.seconds / record.steps, 3),
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--length", type=int, default=1024, help="tokens of a row, about")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--peak-tflops", type=float, default=989, help="of the device in dense bf16 (H100, H200: 989)")
    parser.add_argument("--folder", help="for the model, 27 GB; a temporary one if left out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    import torch

    if not torch.cuda.is_available():
        raise SystemExit("needs a GPU with about 80 GB: torch sees none here")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        found = measure(Path(name), options)
    if options.json:
        print(json.dumps(found))
        return
    for line in found:
        print("  ".join(f"{name} {value}" for name, value in line.items()))


if __name__ == "__main__":
    main()
