"""Training on a GPU: what it reaches is told in `benchmarks/gpu_training.py`; here, that it does at all."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.gpu


@pytest.mark.timeout(1800)
def test_lora_qlora_and_dpo_train_a_model_of_14b() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    pytest.importorskip("bitsandbytes")
    command = [sys.executable, "-m", "benchmarks.gpu_training", "--json", "--steps", "3", "--batch", "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = {line["stage"]: line for line in json.loads(done.stdout.splitlines()[-1])}
    assert set(found) == {"lora", "qlora", "dpo"}
    assert found["qlora"]["peak_device_gb"] < found["lora"]["peak_device_gb"]
    assert all(0 < line["mfu"] < 1 for line in found.values())
