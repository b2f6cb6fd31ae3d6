"""One training stage: rows on file, a process of its own, an adapter in the store."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from blocks.disk import write_whole
from blocks.process import run_guarded
from nightschool.chunks import Chunk
from nightschool.errors import DataError
from nightschool.leaks import Asked
from nightschool.recipe.learning import Training
from nightschool.training.job import Job
from tasks import progress
from tasks.night import Night
from tasks.step import Made


def output(night: Night, chunk: Chunk) -> Path:
    """Where the stage's adapter lies once the chunk is whole."""
    return night.store.path(chunk, "out")


def train(
    night: Night,
    chunk: Chunk,
    section: Training,
    rows: Sequence[BaseModel],
    *,
    adapter: Path | None,
    asked: Sequence[Asked] = (),
) -> Made:
    """Trains `chunk.phase` ("sft" or "dpo") on the rows, from the student or from an adapter of it.

    Args:
        asked: of each row, what is asked later about its question; prompts are held against it.

    Raises:
        DataError: there is nothing to train on, or the rows do not fit the model.
        WorldError: the process failed; its log is named.
    """
    if not rows:
        raise DataError(f"{chunk.phase}: no rows to train on; see the funnel in the report for where they went")
    night.store.folder(chunk).mkdir(parents=True, exist_ok=True)
    target, at = (night.store.path(chunk, name) for name in ("out", "job.json"))
    shutil.rmtree(target, ignore_errors=True)
    source = _written(night.store.path(chunk, "taught.jsonl"), rows)
    later = _written(night.store.path(chunk, "asked.jsonl"), asked) if asked else None
    write_whole(at, _job(night, chunk, section, source, later, adapter).model_dump_json(indent=1).encode())
    counts = progress.tracker(chunk.phase)
    counts.say("loading torch and the model")

    def step(line: dict[str, Any]) -> None:
        note = f"loss {line.get('loss') or 0:.3f}"
        counts.steps(chunk.phase, int(line.get("step", 0)), int(line.get("steps", 0)), note)

    began = time.monotonic()
    command = [sys.executable, "-P", "-m", "nightschool.training", str(at)]
    run_guarded(command, log=night.store.path(chunk, "log"), on_line=step)
    figures = orjson.loads((target / "training.json").read_bytes())
    files = [source, *sorted(path for path in target.rglob("*") if path.is_file())]
    return Made(figures={"training": figures, "seconds": time.monotonic() - began}, files=files)


def _written(path: Path, rows: Sequence[BaseModel]) -> Path:
    write_whole(path, b"".join(row.model_dump_json().encode() + b"\n" for row in rows))
    return path


def _job(night: Night, chunk: Chunk, section: Training, rows: Path, asked: Path | None, adapter: Path | None) -> Job:
    learner = night.recipe.learner
    assert learner is not None
    return Job.model_validate(
        {
            **section.model_dump(),
            "stage": chunk.phase,
            "name": f"{learner.student.name}-{chunk.phase}",
            "model": night.model_path(learner.student),
            "adapter": str(adapter) if adapter else None,
            "lora": learner.sft.lora.model_dump() if learner.sft.lora else None,
            "rows": str(rows),
            "asked": str(asked) if asked else None,
            "output": str(output(night, chunk)),
            "checkpoints": str(night.store.path(chunk, "checkpoints")),
            "seed": night.recipe.seed,
        }
    )
