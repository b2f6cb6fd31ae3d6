"""Training on a GPU: what it reaches is told in `benchmarks/gpu_training.py`; here, that it does at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "benchmarks.gpu_training", "--json"]


@pytest.mark.integration
def test_without_a_gpu_it_says_so_and_writes_nothing(tmp_path: Path) -> None:
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([*COMMAND, "--folder", str(tmp_path)], capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (1, "needs a GPU with about 80 GB: torch sees none here\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.gpu
@pytest.mark.timeout(1800)
def test_lora_qlora_and_dpo_train_a_model_of_14b() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    pytest.importorskip("bitsandbytes")
    done = subprocess.run([*COMMAND, "--steps", "3", "--batch", "4"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = {line["stage"]: line for line in json.loads(done.stdout.splitlines()[-1])}
    assert set(found) == {"lora", "qlora", "dpo"}
    assert found["qlora"]["peak_device_gb"] < found["lora"]["peak_device_gb"]
    assert all(0 < line["mfu"] < 1 for line in found.values())
