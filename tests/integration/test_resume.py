"""A stage that was killed goes on from its last whole checkpoint, and ends in the same weights."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nightschool.training.job import Job
from nightschool.training.record import Record, read_record
from tests.integration import tiny_training
from tests.integration.tiny_training import make_job, run, turns_seen, weights

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)

# Dropout draws from the random state; the schedule, the centre and the dropped pairs are more to be kept.
LORA = {"r": 8, "alpha": 32, "dropout": 0.1}
PLAN: dict[str, Any] = {
    "epochs": 4,
    "schedule": [
        {"epochs": 1, "beta": 0.05},
        {"epochs": 1, "cal": "center"},
        {"epochs": 2, "cal": "center", "robust": "drop"},
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tiny_training.write_school(tmp_path_factory.mktemp("resume"))
    run(make_job(root, "sft", output=str(root / "start"), lora=LORA))
    return root


def job_of(folder: Path, stage: str, name: str, **more: Any) -> Job:
    start = {"adapter": str(folder / "start"), **PLAN} if stage == "dpo" else {"epochs": 4}
    fields = {"output": str(folder / name), "checkpoints": str(folder / f"{name}-saved"), "lora": LORA, **start}
    return make_job(folder, stage, **{"save_steps": 2, **fields, **more})


def killed(job: Job, at: int, number: signal.Signals = signal.SIGKILL) -> str:
    """Stop a process of its own when it has told of step `at`, and listen no more, as a night that ends; its stderr."""
    path = Path(job.output).with_suffix(".json")
    path.write_text(job.model_dump_json())
    command = [sys.executable, "-m", "nightschool.training", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if json.loads(line)["step"] == at:
                process.stdout.close()
                process.send_signal(number)
                break
        said = process.stderr.read().decode()
    assert process.returncode in (-number, 128 + number), said
    return said


def same(folder: Path, first: str, second: str) -> None:
    one, other = (weights(folder / name / "adapter_model.safetensors") for name in (first, second))
    assert all(one[name].equal(other[name]) for name in one)
    mine, theirs = (read_record(folder / name) for name in (first, second))
    assert [step.model_dump(exclude={"step"}) for step in mine.losses] == [
        step.model_dump(exclude={"step"}) for step in theirs.losses
    ]
    assert (mine.dropped, mine.tokens, mine.steps) == (theirs.dropped, theirs.tokens, theirs.steps)


@pytest.mark.parametrize("stage", ["sft", "dpo"])
def test_killed_at_random_it_ends_in_the_same_weights(folder: Path, stage: str) -> None:
    whole: Record = run(job_of(folder, stage, f"{stage}-whole"))
    job = job_of(folder, stage, f"{stage}-killed")
    at = random.Random().randint(3, whole.steps - 1)
    killed(job, at)
    again = run(job)
    # The step that it told of last may have been saved while the signal was on its way.
    assert at - 2 <= again.resumed_at <= at + 2
    assert again.resumed_at > 0
    same(folder, f"{stage}-whole", f"{stage}-killed")


def test_an_end_that_nobody_put_away_costs_no_step_again(folder: Path) -> None:
    job = job_of(folder, "sft", "ended", save_steps=2)
    steps = run(job).steps
    (folder / "ended").rename(folder / "ended-first")
    assert run(job).resumed_at == steps - steps % 2 > 0
    same(folder, "ended-first", "ended")


def test_a_signal_to_stop_saves_first(folder: Path) -> None:
    run(job_of(folder, "dpo", "asked-whole"))
    job = job_of(folder, "dpo", "asked", save_steps=None)
    said = killed(job, 9, signal.SIGTERM)
    assert said.splitlines()[-1] == "stopped by SIGTERM"
    assert run(job).resumed_at >= 9
    same(folder, "asked-whole", "asked")


def test_a_damaged_checkpoint_is_left_for_the_one_before(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(job_of(folder, "sft", "bit-whole"))
    job = job_of(folder, "sft", "bit")
    killed(job, 9)
    saved = sorted((folder / "bit-saved").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    steps = [int(path.name.split("-")[1]) for path in saved if (path / "whole.json").exists()]
    file = folder / "bit-saved" / f"checkpoint-{steps[-1]}" / "adapter_model.safetensors"
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)
    assert run(job).resumed_at == steps[-2]
    assert f"checkpoint of step {steps[-1]} is damaged or half: not used" in capfd.readouterr().err
    same(folder, "bit-whole", "bit")


def test_a_checkpoint_of_other_rows_or_settings_is_put_aside_and_nothing_is_lost(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    job = job_of(folder, "sft", "other")
    killed(job, 5)
    lines = Path(job.rows).read_text().splitlines()
    fewer = tmp_path / "rows.jsonl"
    fewer.write_text("\n".join(lines[:40]) + "\n")
    assert run(job.model_copy(update={"rows": str(fewer)})).resumed_at == 0
    (aside,) = (folder / "other-saved").glob("of-*")
    assert f"is of other rows or settings: not used, kept in {aside}" in capfd.readouterr().err
    steps = {json.loads(mark.read_text())["step"] for mark in aside.glob("checkpoint-*/whole.json")}
    again = job.model_copy(update={"output": str(folder / "again"), "checkpoints": str(aside)})
    assert run(again).resumed_at == max(steps)


def test_killed_at_37_percent_the_loss_still_sees_plan_002s_schedule(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 steps, 6 an epoch; 37% is the 9th, in the midst of the second epoch."""
    schedule = [
        {"epochs": 1, "beta": 0.05},
        {"epochs": 2, "cal": "center"},
        {"epochs": 1, "cal": "center", "robust": "drop"},
    ]
    job = job_of(folder, "dpo", "third", epochs=4, schedule=schedule, save_steps=1)
    killed(job, 9)
    seen = turns_seen(monkeypatch)
    record = run(job)
    assert record.steps == 24
    assert 8 <= record.resumed_at <= 10
    plan = [(0.05, "none", "none")] * 6 + [(0.1, "center", "none")] * 12 + [(0.1, "center", "drop")] * 6
    assert seen == plan[record.resumed_at :]
    assert list(record.dropped) == [3]
    assert len(record.dropped[3]) == 7  # 15% of 48
