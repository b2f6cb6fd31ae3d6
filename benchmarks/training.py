"""Our training beside a bare TRL script with the same settings: seconds per step and in all, and peak memory.

`python -m benchmarks.training [--rows 640] [--stages sft,dpo,cached] [--hidden 192] [--layers 4] [--json]`

Both train the same rows on one thread, each in a process of its own, and take turns step by step: whatever else the
machine does, it does to both. A figure per step is the median over the steps after the first three, its ratio the
median of ours / bare of one step. The last losses must agree, or the comparison is void. Stages: sft, dpo from its
adapter, and cached: dpo of two epochs, whose reference we compute once and the bare script at each step; its ratio is
bare / ours. Wanted: 1.03 at most of seconds per step and of memory, cached 1.25 at least.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nightschool.answers import completion
from nightschool.records import LETTERS
from nightschool.school.examiner import generate
from nightschool.school.puzzle import Puzzle
from nightschool.training.job import Job

WARM_UP = 3
STAGES = ("sft", "dpo", "cached")

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


@dataclass
class Side:
    """One of the two: its process, seconds of CPU and wall by step, and what it told at its end."""

    process: subprocess.Popen[str]
    log: Path
    cpu_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)
    end: dict[str, float] = field(default_factory=dict)

    def read(self) -> None:
        """Wait for what it tells next."""
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline() or "null")
        if told is None:
            self.process.wait()
            said = self.log.read_text()
            raise SystemExit(f"{said}\n{self.process.args}: ended with {self.process.returncode}")
        if "cpu_s" in told:
            self.cpu_s.append(told["cpu_s"])
            self.wall_s.append(told["wall_s"])
        elif "loss" in told:
            _, status, usage = os.wait4(self.process.pid, 0)
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.end = {**told, "cpu_s": usage.ru_utime + usage.ru_stime}

    def go(self) -> None:
        """Let it take its turn, and wait for the end of it."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.read()


def _start(stack: ExitStack, who: str, job: Job, folder: Path) -> Side:
    path = folder / f"{who}.json"
    path.write_text(job.model_dump_json())
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-m", "benchmarks.paced", who, str(path)]
    with path.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env, text=True, bufsize=1
        )
    stack.callback(process.kill)
    side = Side(stack.enter_context(process), path.with_suffix(".log"))
    side.read()  # up to its first step, one after the other
    return side


def beside(folder: Path, stage: str, model: str, **more: Any) -> dict[str, Side]:
    """Train a stage both ways, step by step in turns."""
    settings: dict[str, Any] = {
        "stage": "sft" if stage == "sft" else "dpo",
        "name": stage,
        "model": model,
        "adapter": None if stage == "sft" else str(folder / "ours-sft"),
        "rows": str(folder / ("sft.jsonl" if stage == "sft" else "dpo.jsonl")),
        "seed": 1,
        "epochs": 2 if stage == "cached" else 1,
        "learning_rate": 1e-3,
        "lora": {"r": 16, "alpha": 32},
        "threads": 1,
        **more,
    }
    with ExitStack() as stack:
        jobs = {who: Job.model_validate(settings | {"output": str(folder / f"{who}-{stage}")})
                for who in ("ours", "bare")}  # fmt: skip
        sides = {who: _start(stack, who, job, folder) for who, job in jobs.items()}
        order = list(sides.values())
        while not order[0].end:
            for side in order:
                side.go()
            order.reverse()
    ours, bare = sides["ours"], sides["bare"]
    if len(ours.cpu_s) != len(bare.cpu_s) or abs(ours.end["loss"] - bare.end["loss"]) > 1e-3:
        raise SystemExit(f"{stage}: the two do not train the same: {ours.end}, {bare.end}")
    return sides


def _per_step(mine: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    pairs = list(zip(mine, theirs, strict=True))[WARM_UP:]
    middle = [statistics.median(each) for each in zip(*pairs, strict=True)]
    return {"ours": middle[0], "bare": middle[1], "ratio": statistics.median(one / other for one, other in pairs)}


def figures(sides: dict[str, Side]) -> dict[str, dict[str, float]]:
    """Of each figure ours, the bare script's, and ours / bare."""
    ours, bare = sides["ours"], sides["bare"]
    found = {
        "cpu_s_per_step": _per_step(ours.cpu_s, bare.cpu_s),
        "wall_s_per_step": _per_step(ours.wall_s, bare.wall_s),
    }
    for name in ("cpu_s", "peak_rss_bytes"):
        mine, theirs = ours.end[name], bare.end[name]
        found[name] = {"ours": mine, "bare": theirs, "ratio": mine / theirs}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=640)
    parser.add_argument("--stages", default=",".join(STAGES), help="sft comes first: dpo begins with its adapter")
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        from tests.integration import random_qwen2

        random_qwen2.make(folder / "base", hidden=options.hidden, layers=options.layers)
        write_rows(folder, options.rows)
        for stage in options.stages.split(","):
            found[stage] = figures(beside(folder, stage, str(folder / "base")))
            if not options.json:
                _show(stage, found[stage])
    if options.json:
        print(json.dumps(found))


def _show(stage: str, found: dict[str, dict[str, float]]) -> None:
    for figure, by in found.items():
        ratio = f"bare / ours {1 / by['ratio']:.3f}" if stage == "cached" else f"ratio {by['ratio']:.3f}"
        print(f"{stage:7} {figure:16} ours {by['ours']:<14.5g} bare {by['bare']:<14.5g} {ratio}", flush=True)


if __name__ == "__main__":
    main()
