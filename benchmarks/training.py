"""CPU seconds per step and in all, and peak memory, of our training beside a bare TRL script, taking turns in one run.

`python -m benchmarks.training [--rows 400] [--turns 3] [--model FOLDER] [--json]`

Both train the same rows with the same settings on one thread, sft first, then dpo from its adapter; the last losses
must agree, or the comparison is void. Reported per stage: the median over turns of CPU seconds per step of the training
loop, CPU seconds of the whole process from start to saved adapter, peak memory, and ours / bare of each. One thread
needs no more wall time than CPU time on a machine of its own; beside others only the CPU time can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from nightschool.answers import completion
from nightschool.records import LETTERS
from nightschool.school.examiner import generate
from nightschool.school.puzzle import Puzzle
from nightschool.training.job import Job
from nightschool.training.record import read_record

TOPICS = ("syllogisms", "seating", "blood_relations", "series")


def _turns(puzzle: Puzzle, at: int) -> tuple[list[dict[str, str]], list[dict[str, str]], list[dict[str, str]]]:
    """Prompt, right and wrong reply as a night has them, the right choice standing at letter number `at`."""
    choices = [*puzzle.distractors]
    choices.insert(at, puzzle.right)
    lettered = "\n".join(f"{letter}) {text}" for letter, text in zip(LETTERS, choices, strict=False))
    right, wrong = (completion(puzzle.plan, LETTERS[index]) for index in (at, at - 1))
    return (
        [{"role": "user", "content": f"{puzzle.question}\n{lettered}"}],
        [{"role": "assistant", "content": right}],
        [{"role": "assistant", "content": wrong}],
    )


def write_rows(folder: Path, rows: int) -> None:
    """`rows` rows for sft and as many pairs for dpo, as files in the folder."""
    with (folder / "sft.jsonl").open("w") as sft, (folder / "dpo.jsonl").open("w") as dpo:
        for topic in TOPICS:
            for index, puzzle in enumerate(generate(topic, rows // len(TOPICS), seed=1)):
                prompt, right, wrong = _turns(puzzle, index % 4)
                row = {"id": f"{topic}-{index}", "prompt": prompt}
                sft.write(json.dumps({**row, "completion": right}) + "\n")
                dpo.write(json.dumps({**row, "chosen": right, "rejected": wrong}) + "\n")


def _measure(command: list[str]) -> dict[str, float]:
    """Run to the end; the last line of stdout, with the CPU seconds of the whole process."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=env) as process,
    ):
        assert process.stdout is not None
        told = process.stdout.read().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise SystemExit(f"{log.read().decode()}\n{command}: ended with {process.returncode}")
    return {**json.loads(told[-1]), "cpu_s": usage.ru_utime + usage.ru_stime}


def _ours(job: Job, path: Path) -> dict[str, float]:
    told = _measure([sys.executable, "-m", "nightschool.training", str(path)])
    record = read_record(Path(job.output))
    figures = {"steps": record.steps, "seconds_cpu": record.seconds_cpu, "peak_rss_bytes": record.peak_rss_bytes}
    return {**figures, "loss": record.final.loss, "cpu_s": told["cpu_s"]}


def _turn(folder: Path, stage: str, turn: int, model: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for who in ("ours", "bare") if turn % 2 else ("bare", "ours"):
        settings: dict[str, Any] = {
            "stage": stage,
            "name": stage,
            "model": model,
            "adapter": str(folder / "ours-sft-0") if stage == "dpo" else None,
            "rows": str(folder / f"{stage}.jsonl"),
            "output": str(folder / f"{who}-{stage}-{turn}"),
            "seed": 1,
            "learning_rate": 1e-3,
            "lora": {"r": 16, "alpha": 32},
            "threads": 1,
        }
        job = Job.model_validate(settings)
        path = folder / f"{who}.json"
        path.write_text(job.model_dump_json())
        bare = [sys.executable, "-m", "benchmarks.bare_trl", str(path)]
        found[who] = _ours(job, path) if who == "ours" else _measure(bare)
        found[who]["cpu_s_per_step"] = found[who]["seconds_cpu"] / found[who]["steps"]
    if abs(found["ours"]["loss"] - found["bare"]["loss"]) > 1e-3:
        raise SystemExit(f"{stage}: the two do not train the same: {found}")
    return found


def _summary(turns: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        figure: {
            "ours": statistics.median(turn["ours"][figure] for turn in turns),
            "bare": statistics.median(turn["bare"][figure] for turn in turns),
            "ratio": statistics.median(turn["ours"][figure] / turn["bare"][figure] for turn in turns),
        }
        for figure in ("cpu_s_per_step", "cpu_s", "peak_rss_bytes")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--model", help="folder of a base model; without it one of random weights is made")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.model is None:
            from tests.integration import random_qwen2

            random_qwen2.make(folder / "base")
        write_rows(folder, options.rows)
        model = options.model or str(folder / "base")
        found = {
            stage: _summary([_turn(folder, stage, turn, model) for turn in range(options.turns)])
            for stage in ("sft", "dpo")
        }
    if options.json:
        print(json.dumps(found))
        return
    for stage, figures in found.items():
        for figure, by in figures.items():
            print(f"{stage}  {figure:15} ours {by['ours']:<14.5g} bare {by['bare']:<14.5g} ratio {by['ratio']:.3f}")


if __name__ == "__main__":
    main()
