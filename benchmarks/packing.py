"""What rows without padding are worth: the same training padded and packed, taking turns in one run.

`python -m benchmarks.packing [--rows 192] [--turns 3] [--hidden 256] [--json]`

Rows of many lengths (most short, a few eight times as long), as chains of thought are. Both train the same rows in the
same steps; their losses must agree, or the comparison is void. Reported: CPU seconds of the training loop, peak memory,
and the share of the padded batches that is padding. On a CPU attention is masked and grows with the square of all rows
of a batch; with flash-attn on CUDA it goes row by row.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from nightschool.training.job import Job
from nightschool.training.record import Record, read_record

WORDS = ["Leo", "Dan", "Ivy", "Bob", "cats", "mice", "dogs", "birds", "row", "second", "right", "first"]


def write_rows(file: Path, count: int) -> None:
    """Prompts of ten words, completions of 5 to 300, most of them short."""
    rng = random.Random(7)

    def said(words: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(words))

    rows = [
        {
            "id": f"r{number}",
            "prompt": [{"role": "user", "content": said(10)}],
            "completion": [{"role": "assistant", "content": said(5 + int(295 * rng.random() ** 4))}],
        }
        for number in range(count)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def train(folder: Path, name: str, *, free: bool) -> Record:
    """One stage in a process of its own."""
    settings: dict[str, Any] = {"stage": "sft", "name": "sft", "seed": 1, "learning_rate": 1e-3, "threads": 1}
    there = {"model": str(folder / "base"), "rows": str(folder / "rows.jsonl"), "output": str(folder / name)}
    job = Job.model_validate({**settings, **there, "padding_free": free, "lora": {"r": 16, "alpha": 32}})
    (folder / "job.json").write_text(job.model_dump_json())
    command = [sys.executable, "-m", "nightschool.training", str(folder / "job.json")]
    with (folder / "log").open("wb") as log:
        if subprocess.run(command, stdout=log, stderr=log, check=False).returncode:
            raise SystemExit((folder / "log").read_text()[-2000:])
    return read_record(folder / name)


def _padding(file: Path, batch: int = 16) -> float:
    """Share of padded batches in file order that is padding, by words."""
    words = [len((row["prompt"][0]["content"] + " " + row["completion"][0]["content"]).split())
             for row in map(json.loads, file.read_text().splitlines())]  # fmt: skip
    batches = [words[start : start + batch] for start in range(0, len(words), batch)]
    return 1 - sum(words) / sum(max(each) * len(each) for each in batches)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=192)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        from tests.integration import random_qwen2

        folder = Path(name)
        random_qwen2.make(folder / "base", hidden=options.hidden)
        write_rows(folder / "rows.jsonl", options.rows)
        turns = []
        for turn in range(options.turns):
            order = (False, True) if turn % 2 else (True, False)
            turns.append({free: train(folder, f"{turn}-{free}", free=free) for free in order})
        if any(abs(turn[True].final.loss - turn[False].final.loss) > 1e-3 for turn in turns):
            raise SystemExit(f"the two do not train the same: {[(t[True].final, t[False].final) for t in turns]}")
        found = {"padding": _padding(folder / "rows.jsonl"), "device": turns[0][True].device}
    for figure in ("seconds_cpu", "peak_rss_bytes"):
        both = [statistics.median(getattr(turn[free], figure) for turn in turns) for free in (False, True)]
        found |= {f"{figure} padded": both[0], f"{figure} packed": both[1], f"{figure} ratio": both[1] / both[0]}
    print(json.dumps(found) if options.json else "\n".join(f"{name:24} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
