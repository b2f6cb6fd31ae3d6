"""Merging in a process of its own: the merged model says what base and adapter say, or there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nightschool.training.merge_job import Merged
from tests.integration.tiny_training import make_job, run, text_only, write_school

pytestmark = pytest.mark.integration
text_only = pytest.fixture(autouse=True, scope="module")(text_only)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a base and an adapter that has learned something."""
    folder = write_school(tmp_path_factory.mktemp("merge"))
    run(make_job(folder, "sft", epochs=3))
    return folder


def merge(folder: Path, name: str, **changes: Any) -> subprocess.CompletedProcess[str]:
    prompts = [json.loads(line)["prompt"] for line in (folder / "sft.jsonl").read_text().splitlines()[:3]]
    job = {"model": str(folder / "base"), "adapter": str(folder / "out"), "dtype": "auto", "prompts": prompts,
           "output": str(folder / name), "threads": 1}  # fmt: skip
    at = folder / f"{name}.json"
    at.write_text(json.dumps(job | changes))
    command = [sys.executable, "-m", "nightschool.training.merging", str(at)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_what_is_merged_says_what_base_and_adapter_said(trained: Path) -> None:
    done = merge(trained, "merged")
    assert done.returncode == 0, done.stderr
    found = Merged.model_validate_json(done.stdout)
    assert found.dtype == "float32"
    assert found.changed is not None
    assert found.changed > 1e-3
    assert found.merged.mean < 1e-5 * found.changed + 1e-6
    assert found.merged.same_choice == 1.0
    files = {path.name for path in (trained / "merged").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= files
    assert not [name for name in files if name.startswith("adapter") or name.endswith((".bin", ".pt"))]


def test_merged_in_fewer_bits_it_loses_a_little_and_says_how_much(trained: Path) -> None:
    done = merge(trained, "half", dtype="bfloat16")
    assert done.returncode == 0, done.stderr
    found = Merged.model_validate_json(done.stdout)
    assert found.dtype == "bfloat16"
    assert found.changed is not None
    assert 0 < found.merged.mean < 0.1 * found.changed


def test_an_adapter_of_another_base_and_bits_without_a_device_are_refused(trained: Path, tmp_path: Path) -> None:
    from tests.integration import random_qwen2

    random_qwen2.make(tmp_path / "other", hidden=64, layers=2)
    done = merge(trained, "wrong", model=str(tmp_path / "other"))
    assert done.returncode == 2
    assert "does not fit" in done.stderr
    done = merge(trained, "less", quantised=str(trained / "less-bits"), method="nf4")
    import torch

    if not torch.cuda.is_available():
        assert done.returncode == 3
        assert "nf4 wants a CUDA device" in done.stderr.splitlines()[-1]
