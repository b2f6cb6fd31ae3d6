"""A stage of training that waits after each step until it is let go on, so that two of them can take turns.

`python -m benchmarks.paced ours|bare JOB.json`: one JSON line a step with its seconds of CPU and wall, then one with
the peak memory and the last loss; each line of stdin lets it go on. Both are timed from log record to log record.
"""

from __future__ import annotations

import json
import os
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from nightschool.training.job import Job, load_job
from nightschool.training.process import peak_rss_bytes, prepare
from nightschool.training.rows import read_rows


class Turns(StringIO):
    """Where a stage tells of its steps: each is told on, and waits for its turn."""

    def __init__(self, out: TextIO) -> None:
        super().__init__()
        self._out = out
        self._since: tuple[float, float] | None = None
        self.loss = 0.0

    def write(self, line: str) -> int:
        """Take one line of our own training."""
        told = json.loads(line)
        if "loss" in told:
            self.step(told["loss"])
        return len(line)

    def step(self, loss: float) -> None:
        """A step has ended; the first has no beginning that compares."""
        self.loss, now = loss, (time.process_time(), time.perf_counter())
        if self._since:
            self.told({"cpu_s": now[0] - self._since[0], "wall_s": now[1] - self._since[1]})
        else:
            self.told({"first": True})
        sys.stdin.readline()
        self._since = time.process_time(), time.perf_counter()

    def told(self, line: dict[str, Any]) -> None:
        """One line to whoever gives the turns."""
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()


def ours(job: Job, turns: Turns) -> None:
    """The stage as our own process trains it."""
    prepare(job)
    from nightschool.training.stage import run_stage

    run_stage(job, read_rows(Path(job.rows), job.stage), out=turns, seconds_import=0.0)


def bare(job: Job, turns: Turns) -> None:
    """The same by a bare TRL script."""
    from benchmarks.bare_trl import bare_trainer

    trainer = bare_trainer(job)
    from transformers import TrainerCallback

    class Waits(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if "loss" in kwargs["logs"]:
                turns.step(kwargs["logs"]["loss"])

    trainer.add_callback(Waits())
    trainer.train()
    trainer.save_model()


def main() -> None:
    """Train, taking turns."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints
    turns = Turns(out)
    {"ours": ours, "bare": bare}[sys.argv[1]](load_job(Path(sys.argv[2])), turns)
    turns.told({"peak_rss_bytes": peak_rss_bytes(), "loss": turns.loss})


if __name__ == "__main__":
    main()
