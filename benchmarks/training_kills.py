"""Training killed by kill -9 at a random step and gone on with, against the same stage left alone.

`python -m benchmarks.training_kills [--trials 10] [--rows 400] [--save-steps 5] [--seed N]`

Each trial takes a stage in turn (sft; dpo on plan 002's schedule, with dropout), kills it at a random moment of a
random step, its saving included, once more during the second go with even odds, and lets it end. Reported: steps lost
to each kill, which may be no more than one save interval, and whether the final weights equal the undisturbed run's
bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.training import write_rows
from nightschool.training.job import Job
from nightschool.training.record import read_record

SCHEDULE = [
    {"epochs": 1, "beta": 0.05},
    {"epochs": 2, "cal": "center"},
    {"epochs": 1, "cal": "center", "robust": "drop"},
]


def _job(folder: Path, stage: str, name: str, save_steps: int) -> Job:
    settings: dict[str, Any] = {
        "stage": stage,
        "name": stage,
        "model": str(folder / "base"),
        "adapter": str(folder / "sft-whole") if stage == "dpo" else None,
        "rows": str(folder / f"{stage}.jsonl"),
        "output": str(folder / name),
        "checkpoints": str(folder / f"{name}-saved"),
        "save_steps": save_steps,
        "seed": 1,
        "epochs": 4 if stage == "dpo" else 1,
        "learning_rate": 1e-3,
        "lora": {"r": 16, "alpha": 32, "dropout": 0.1},
        "threads": 1,
        **({"schedule": SCHEDULE} if stage == "dpo" else {}),
    }
    return Job.model_validate(settings)


def _go(job: Job, kill_at: int | None = None, late: float = 0.0) -> int:
    """Train until the end, or until a step has been told of and so much of the next one's time; the last step told."""
    path = Path(job.output).with_suffix(".json")
    path.write_text(job.model_dump_json())
    step, since, step_s = 0, time.monotonic(), 0.0
    command = [sys.executable, "-m", "nightschool.training", str(path)]
    log = path.with_suffix(".log")
    with log.open("wb") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as process:
        assert process.stdout is not None
        for line in process.stdout:
            step = json.loads(line)["step"]
            since, step_s = time.monotonic(), time.monotonic() - since
            if step == kill_at:
                time.sleep(late * step_s)
                process.kill()
                break
        for line in process.stdout:  # told of before the signal came
            step = json.loads(line)["step"]
    if kill_at is None and process.returncode:
        raise SystemExit(f"{job.name}: ended with {process.returncode}: {log.read_text()[-2000:]}")
    if kill_at is not None:
        shutil.rmtree(job.output, ignore_errors=True)  # it was faster than the kill, and nobody had put it away
    return step


def _saved(job: Job) -> int:
    """The step of the last whole checkpoint."""
    marks = Path(job.checkpoints or "").glob("checkpoint-*/whole.json")
    return max((json.loads(mark.read_text())["step"] for mark in marks), default=0)


def _digest(job: Job) -> str:
    return hashlib.sha256((Path(job.output) / "adapter_model.safetensors").read_bytes()).hexdigest()[:12]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--save-steps", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        from tests.integration import random_qwen2

        random_qwen2.make(folder / "base")
        write_rows(folder, options.rows)
        whole = {stage: _job(folder, stage, f"{stage}-whole", options.save_steps) for stage in ("sft", "dpo")}
        for job in whole.values():
            _go(job)
        bad = 0
        for trial in range(options.trials):
            stage = ("sft", "dpo")[trial % 2]
            steps = read_record(Path(whole[stage].output)).steps
            job, lost = _job(folder, stage, f"{stage}-{trial}", options.save_steps), []
            for at in sorted(rng.sample(range(1, steps), rng.randint(1, 2))):
                reached = _go(job, at, rng.random())
                lost.append(reached - _saved(job))
            _go(job)
            same = _digest(job) == _digest(whole[stage])
            clean = same and max(lost) <= options.save_steps
            bad += not clean
            print(f"{stage} {steps} steps, lost {lost} of at most {options.save_steps}, "
                  f"weights {'the same' if same else 'DIFFER'}{'' if clean else '  BAD'}", flush=True)  # fmt: skip
    print(f"{options.trials - bad} of {options.trials} clean")
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
