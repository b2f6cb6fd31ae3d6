"""The skew experiment: what made plan 002's chain of thought fail, and what each safeguard against it is worth.

    python -m benchmarks.skew [--seeds 0,1,2] [--jobs 2] [--folder runs/skew] [--plot docs/skew.svg]

A tiny student learns yes/no questions from rows with plan 002's counts: 45% yes in the pool, 28% after its filter,
1,037 rows, 687 questions in the test, three epochs. Phase A learns the answer alone. Phase B goes on from it and learns
the chain of thought, with the teacher's text and its answer in the prompt as in plan 002, or with it as the thing to
write, which is what is left once the leak detector has refused the first. Each is done without balance, with upsampling
and with weights. Rows are what `nightschool.balance`, `teaching` and `leaks` make of them, stages are jobs of
`python -m nightschool.training`. What is in the folder already is not made again: a run that was cut off goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from benchmarks.skew_base import make_base
from benchmarks.skew_figures import figures, gathered, told
from benchmarks.skew_plot import drawn
from benchmarks.skew_task import POOL, TEST, TEST_SEED, Item, Lesson, filtered, items, prompt, rows
from nightschool.balance import Method
from nightschool.rendering import rendered
from nightschool.tinymodels.probe import replies_to
from nightschool.tinymodels.train import Encoder
from nightschool.values.read import read

BALANCES: tuple[Method, ...] = ("none", "upsample", "weights")
# Plan 002's settings; its rate was for LoRA on 3.8 billion weights.
SETTINGS: dict[str, Any] = {"epochs": 3, "batch_size": 32, "learning_rate": 1e-3, "max_length": 256, "threads": 1}
REFUSED = 2


class Stage(NamedTuple):
    """One training: what it teaches, on rows balanced how, and the stage it goes on from."""

    name: str
    lesson: Lesson
    method: Method
    start: str | None = None

    @property
    def safe(self) -> bool:
        """Whether its prompts are those that are asked later."""
        return self.lesson in ("answer", "reasoning")


PHASE_A = tuple(Stage(f"baseline-{method}", "answer", method) for method in BALANCES)
PHASE_B = (
    *(Stage(f"leaked-{method}", "leaked", method, f"baseline-{method}") for method in BALANCES),
    Stage("handed-upsample", "handed", "upsample", "baseline-upsample"),
    *(Stage(f"cot-{method}", "reasoning", method, f"baseline-{method}") for method in BALANCES),
)


def main() -> None:
    """Train and measure what is missing, then print the tables, and draw the plot where one is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="stages that train side by side")
    parser.add_argument("--folder", type=Path, default=Path("runs/skew"))
    parser.add_argument("--plot", type=Path, help="an .svg to write")
    given = parser.parse_args()
    folder, seeds = given.folder, [int(seed) for seed in given.seeds.split(",")]
    torch.set_num_threads(1)
    disable_progress_bar()
    folder.mkdir(parents=True, exist_ok=True)
    base = make_base(folder / "base")
    with ThreadPoolExecutor(given.jobs) as pool:
        for seed in seeds:
            for phase in (PHASE_A, PHASE_B):
                # Asked here and not there: transformers cannot load models in two threads.
                learned = pool.map(partial(_learn, seed=seed, folder=folder, base=base), phase)
                for stage, here in zip(phase, learned, strict=True):
                    _ask(stage, here)
                    print(f"seed {seed}, {stage.name}", file=sys.stderr, flush=True)
    found = gathered(folder, [stage.name for stage in (*PHASE_A, *PHASE_B)], seeds)
    (folder / "figures.json").write_text(json.dumps(figures(found), indent=1))
    print("\n".join(told(found)))
    if given.plot:
        given.plot.write_text(drawn(found))


def _learn(stage: Stage, *, seed: int, folder: Path, base: Path) -> Path:
    """Train one stage unless that was done; where it lies."""
    here = folder / f"seed-{seed}" / stage.name
    if (here / "out").is_dir():
        return here
    here.mkdir(parents=True, exist_ok=True)
    kept = filtered(items(POOL, seed=seed, held_out=False), seed=seed)
    taught = list(rows(kept, stage.lesson, stage.method, seed=seed))
    (here / "rows.jsonl").write_text("".join(row.model_dump_json() + "\n" for row, _ in taught))
    (here / "asked.jsonl").write_text("".join(later.model_dump_json() + "\n" for _, later in taught))
    start = folder / f"seed-{seed}" / stage.start / "out" if stage.start else base
    job = {
        **SETTINGS, "stage": "sft", "name": stage.name, "model": str(start), "seed": seed, "output": str(here / "out"),
        "rows": str(here / "rows.jsonl"), "asked": str(here / "asked.jsonl"),
    }  # fmt: skip
    if not stage.safe and not (here / "refused.txt").is_file():
        done = _training(job, here / "refused.json")
        assert done.returncode == REFUSED, f"rows that leak were not refused: {done.stderr}"
        (here / "refused.txt").write_text(done.stderr.splitlines()[-1])
    done = _training({**job, "leaks": "refuse" if stage.safe else "allow"}, here / "job.json")
    assert not done.returncode, done.stderr
    return here


def _ask(stage: Stage, here: Path) -> None:
    """Ask a trained stage the test, as it is served and as it was taught, unless that was done."""
    if (here / "found.json").is_file():
        return
    test, refused = items(TEST, seed=TEST_SEED, held_out=True), here / "refused.txt"
    asked = _values(here / "out", test, "answer")
    found = {
        "refusal": refused.read_text() if refused.is_file() else "",
        "asked": asked,
        "as_taught": asked if stage.safe else _values(here / "out", test, stage.lesson),
        "truths": [one.truth for one in test],
    }
    (here / "found.json").write_text(json.dumps(found))


def _training(job: dict[str, Any], at: Path) -> subprocess.CompletedProcess[str]:
    at.write_text(json.dumps(job))
    command = [sys.executable, "-m", "nightschool.training", str(at)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _values(model_at: Path, test: Sequence[Item], lesson: Lesson) -> list[str | None]:
    """What the student answers to each question, greedily, in the prompts of a lesson; None where nothing was read."""
    tokenizer: Any = AutoTokenizer.from_pretrained(model_at)
    model: Any = AutoModelForCausalLM.from_pretrained(model_at)
    prompts = [prompt(one, lesson) for one in test]
    encoder = Encoder(tokenizer)
    users = [turns[-1].content for turns in prompts]
    assert encoder.prompts(users) == rendered(tokenizer, prompts, opened=True), "asked as it was trained"
    return [read(reply, "yes_no").value for reply in replies_to(users, model, tokenizer, encoder)]


if __name__ == "__main__":
    main()
