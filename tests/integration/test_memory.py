"""A stage that does not fit into memory is trained with fewer rows at a time, to the same losses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nightschool.training.job import Job
from nightschool.training.record import Step, read_record
from tests.integration import tiny_training
from tests.integration.tiny_training import make_job, run

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)

SAID = " ".join(["Row Leo Dan Ivy cats mice dogs birds"] * 14)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tiny_training.write_school(tmp_path_factory.mktemp("memory"))
    run(make_job(root, "sft", output=str(root / "sft")))
    return root


@pytest.fixture(scope="module")
def large(folder: Path) -> Path:
    """Rows of some 400 tokens: 32 of them at a time take hundreds of megabytes."""
    from tests.integration import random_qwen2

    random_qwen2.make(folder / "wide", hidden=128, layers=6)
    row = {"prompt": [{"role": "user", "content": "Who?"}], "completion": [{"role": "assistant", "content": SAID}]}
    path = folder / "long.jsonl"
    path.write_text("".join(json.dumps({"id": f"l{index}", **row}) + "\n" for index in range(64)))
    return path


def peak(pid: int) -> int:
    """The most addresses that a process ever had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmPeak:"))


def trained(job: Job, limit: int | None = None) -> tuple[int, int, str]:
    """Exit code, the most addresses, and what was said; `limit` is the kernel's, in bytes."""
    path = Path(job.output).with_suffix(".json")
    path.write_text(job.model_dump_json())
    # The shell's limit is in KiB, and holds for what it becomes.
    bound = ["sh", "-c", f'ulimit -v {limit // 1024}; exec "$@"', "sh"] if limit else []
    command = [*bound, sys.executable, "-m", "nightschool.training", str(path)]

    most = 0
    with (
        path.with_suffix(".log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdout is not None
        for _ in process.stdout:
            most = max(most, peak(process.pid))
    return process.returncode, most, path.with_suffix(".log").read_text()


def losses(name: Path) -> list[Step]:
    return read_record(name).losses


def test_rows_are_halved_until_they_fit_and_the_losses_are_the_same(folder: Path, large: Path) -> None:
    def job(name: str, **more: Any) -> Job:
        settings = {"model": str(folder / "wide"), "rows": str(large), "batch_size": 32, "learning_rate": 1e-3}
        return make_job(folder, "sft", output=str(folder / name), **settings, **more)

    _, much, _ = trained(job("all"))
    _, little, _ = trained(job("eight", micro_batch=8))
    assert much - little > 100e6
    code, most, said = trained(job("bounded"), limit=little + (much - little) // 10)
    assert code == 0, said
    assert most < much
    assert "out of memory with 32 rows at a time: begins again with 16, 2 times a step, 32 rows per step" in said
    assert "out of memory with 16 rows at a time: begins again with 8" in said
    for mine, wanted in zip(losses(folder / "bounded"), losses(folder / "all"), strict=True):
        assert mine.loss == pytest.approx(wanted.loss, rel=1e-4)
        assert mine.grad_norm == pytest.approx(wanted.grad_norm, rel=1e-3)


@pytest.mark.parametrize(
    "how", [{}, {"robust": "drop", "drop_share": 0.3}, {"cal": "paper", "learning_rate": 1e-4}, {"loss": ["ipo"]}]
)
def test_how_many_pairs_are_held_at_a_time_changes_no_loss(folder: Path, how: dict[str, Any]) -> None:
    rows = folder / "ragged.jsonl"
    rows.write_text("".join(f"{line}\n" for line in (folder / "dpo.jsonl").read_text().splitlines()[:29]))

    def record(micro: int) -> list[Step]:
        name = folder / f"dpo-{micro}-{len(list(folder.iterdir()))}"
        job = make_job(folder, "dpo", rows=str(rows), adapter=str(folder / "sft"), micro_batch=micro, output=str(name))
        return run(job.model_copy(update=how | {"loss": tuple(how.get("loss", job.loss))})).losses

    for mine, wanted in zip(record(2), record(8), strict=True):
        assert mine.loss == pytest.approx(wanted.loss, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"batch_size": 1}, "out of memory with one row at a time: gradient_checkpointing: true, a smaller max_length"),
        ({"cal": "center"}, "out of memory with 8 rows at a time, over which cal: center takes its mean: halve batch"),
    ],
)
def test_what_cannot_be_halved_says_what_to_change(folder: Path, fields: dict[str, Any], says: str) -> None:
    import torch

    from nightschool.errors import DataError
    from nightschool.training.batches import lay_out
    from nightschool.training.memory import OutOfMemory, smaller, within_memory

    job = make_job(folder, "dpo", **fields)
    with pytest.raises(OutOfMemory, match="allocate memory") as caught, within_memory(lay_out(job, 1)):
        torch.empty(1 << 60, dtype=torch.uint8)
    with pytest.raises(DataError, match=says):
        smaller(caught.value, job)


def test_other_errors_are_left_alone() -> None:
    import torch

    from nightschool.training.batches import Layout
    from nightschool.training.memory import within_memory

    with pytest.raises(RuntimeError, match="size of tensor"), within_memory(Layout(1, 1, 1)):
        torch.add(torch.zeros(2), torch.zeros(3))
