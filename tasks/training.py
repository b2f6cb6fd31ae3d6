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
from nightschool.recipe.stages import Stage
from nightschool.training.job import Job
from tasks import progress, stages
from tasks.night import Night
from tasks.step import Made

SAVING_S = 60.0  # a checkpoint of some GB, when the night is asked to stop


def train(night: Night, chunk: Chunk, stage: Stage, rows: Sequence[BaseModel], *, asked: Sequence[Asked] = ()) -> Made:
    """Trains a stage on the rows, from where the recipe has it begin.

    Args:
        asked: of each row, what is asked later about its question; prompts are held against it.

    Raises:
        DataError: there is nothing to train on, or the rows do not fit the model.
        WorldError: the process failed; its log is named.
    """
    if not rows:
        raise DataError(f"{stage.name}: no rows to train on; see the funnel in the report for where they went")
    night.store.folder(chunk).mkdir(parents=True, exist_ok=True)
    target, at = (night.store.path(chunk, name) for name in ("out", "job.json"))
    shutil.rmtree(target, ignore_errors=True)
    source = _written(night.store.path(chunk, "taught.jsonl"), rows)
    later = _written(night.store.path(chunk, "asked.jsonl"), asked) if asked else None
    write_whole(at, _job(night, chunk, stage, source, later).model_dump_json(indent=1).encode())
    counts = progress.tracker(chunk.phase)
    counts.say("loading torch and the model")

    def step(line: dict[str, Any]) -> None:
        if "note" in line:
            counts.say(str(line["note"]), now=True, urgent=True)
        else:
            counts.steps(chunk.phase, int(line.get("step", 0)), int(line.get("steps", 0)), said(stage.name, line))

    began = time.monotonic()
    command = [sys.executable, "-P", "-m", "nightschool.training", str(at)]
    run_guarded(command, log=night.store.path(chunk, "log"), on_line=step, grace_s=SAVING_S)
    shutil.rmtree(night.store.path(chunk, "checkpoints"), ignore_errors=True)  # what is left is of rows made before
    figures = orjson.loads((target / "training.json").read_bytes())
    files = [source, *sorted(path for path in target.rglob("*") if path.is_file())]
    return Made(figures={"training": figures, "seconds": time.monotonic() - began}, files=files)


def said(stage: str, line: dict[str, Any]) -> str:
    """A step in a few words: its loss, how fast it goes, the memory that it takes (the device's, where it has one)."""
    memory = line.get("device_bytes") or line.get("rss_bytes") or 0
    speed = line.get("tokens_per_s") or 0
    return f"{stage}, loss {line.get('loss') or 0:.3f}, {speed:,.0f} tokens/s, {memory / 1e9:.1f} GB"


def _written(path: Path, rows: Sequence[BaseModel]) -> Path:
    write_whole(path, b"".join(row.model_dump_json().encode() + b"\n" for row in rows))
    return path


def _job(night: Night, chunk: Chunk, stage: Stage, rows: Path, asked: Path | None) -> Job:
    start = stages.weights(night, stage.start)
    return Job.model_validate(
        {
            **stage.section.model_dump(include=set(Job.model_fields)),
            "stage": stage.kind,
            "name": f"{stages.learner(night).student.name}-{stage.name}",
            "model": start.model,
            "adapter": str(start.adapter) if start.adapter else None,
            "reference": _reference(night, stage),
            "tokens": stage.tokens,
            "lora": stage.lora and stage.lora.model_dump(),
            "rows": str(rows),
            "asked": str(asked) if asked else None,
            "output": str(night.store.path(chunk, "out")),
            "checkpoints": str(night.store.path(chunk, "checkpoints")),
            "references": str(night.store.root / "references"),
            "seed": night.recipe.seed,
        }
    )


def _reference(night: Night, stage: Stage) -> str | None:
    """What dpo is held to, where that is not the stage that it begins with."""
    if stage.kind == "sft" or stage.reference == stage.start:
        return None
    found = stages.weights(night, stage.reference)
    return str(found.adapter or found.model)
