"""One training stage: rows on file, a process of its own, an adapter in the store."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from blocks.along import SAVING_S, calling
from blocks.disk import write_whole
from blocks.process import run_guarded
from nightschool.chunks import Chunk
from nightschool.errors import DataError
from nightschool.leaks import Asked
from nightschool.recipe.evaluate import ANSWERED
from nightschool.recipe.stages import Stage
from nightschool.training.job import Job, Questions
from tasks import progress, pruning, stages
from tasks.night import Night
from tasks.step import Made

_NAMES = {"rows": "taught"}

Lesson = tuple[BaseModel, Asked]


def train(night: Night, chunk: Chunk, stage: Stage, rows: Sequence[Lesson], held: Sequence[Lesson] = ()) -> Made:
    """Trains a stage on the rows, from where the recipe has it begin.

    Args:
        rows: each beside what is asked later about its question, which its prompt is held against.
        held: as many as it is looked at by on the way, if the recipe says so.

    Raises:
        DataError: there is nothing to train on, or the rows do not fit the model.
        Pruned: a search that watches sees it fall behind.
        WorldError: the process failed; its log is named.
    """
    if not rows:
        raise DataError(f"{stage.name}: no rows to train on; see the funnel in the report for where they went")
    night.store.folder(chunk).mkdir(parents=True, exist_ok=True)
    target, at = (night.store.path(chunk, name) for name in ("out", "job.json"))
    shutil.rmtree(target, ignore_errors=True)
    files = _files(night, chunk, stage, rows, held)
    write_whole(at, _job(night, chunk, stage, files).model_dump_json(indent=1).encode())
    counts = progress.tracker(chunk.phase)
    counts.say("loading torch and the model")

    def step(line: dict[str, Any]) -> None:
        if "note" in line:
            counts.say(str(line["note"]), now=True, urgent=True)
        else:
            counts.steps(chunk.phase, int(line.get("step", 0)), int(line.get("steps", 0)), said(stage.name, line))
            pruning.look(stage.name, line.get("held"))

    began = time.monotonic()
    command = [sys.executable, "-P", "-m", "nightschool.training", str(at)]
    log = night.store.path(chunk, "log")
    with calling(at, stage.section.machines, lambda said: counts.say(said, now=True, urgent=True)):
        run_guarded(command, log=log, on_line=step, known_in=night.servers, grace_s=SAVING_S)
    figures = orjson.loads((target / "training.json").read_bytes())
    left = [files["rows"], *sorted(path for path in target.rglob("*") if path.is_file())]
    figures = {"training": figures, "seconds": time.monotonic() - began}
    return Made(figures=figures, files=left, scratch=[night.store.path(chunk, "checkpoints")])


def _files(night: Night, chunk: Chunk, stage: Stage, rows: Sequence[Lesson], held: Sequence[Lesson]) -> dict[str, Path]:
    """What the job reads, by its own names."""
    given = {"rows": [row for row, _ in rows], "asked": [later for _, later in rows]}
    given |= {"held": [row for row, _ in held], "questions": _questions(stage, held)}
    paths = {field: night.store.path(chunk, f"{_NAMES.get(field, field)}.jsonl") for field in given if given[field]}
    return {field: _written(path, given[field]) for field, path in paths.items()}


def _questions(stage: Stage, held: Sequence[Lesson]) -> list[Asked]:
    """Each question once, if it is to be answered on the way: several pairs may be of one."""
    how = stage.section.evaluate
    asked = {one.prompt: one for _, one in held if one.kind in ANSWERED} if how and how.asks else {}
    return list(asked.values())


def said(stage: str, line: dict[str, Any]) -> str:
    """A step in a few words: its loss, how fast it goes, the memory that it takes (the device's, where it has one)."""
    memory = line.get("device_bytes") or line.get("rss_bytes") or 0
    speed = line.get("tokens_per_s") or 0
    held = line.get("held")
    looked = f", held-back rows {held['loss'] or 0:.3f} (best: step {held['best']})" if held else ""
    return f"{stage}, loss {line.get('loss') or 0:.3f}{looked}, {speed:,.0f} tokens/s, {memory / 1e9:.1f} GB"


def _written(path: Path, rows: Sequence[BaseModel]) -> Path:
    write_whole(path, b"".join(row.model_dump_json().encode() + b"\n" for row in rows))
    return path


def _job(night: Night, chunk: Chunk, stage: Stage, files: Mapping[str, Path]) -> Job:
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
            **{field: str(path) for field, path in files.items() if field != "questions"},
            "questions": _asking(night, files["questions"]) if "questions" in files else None,
            "output": str(night.store.path(chunk, "out")),
            "checkpoints": str(night.store.path(chunk, "checkpoints")),
            "references": str(night.store.root / "references"),
            "seed": night.recipe.seed,
        }
    )


def _asking(night: Night, file: Path) -> Questions:
    """Held-back questions, under the conditions that the student is asked under."""
    answers, student = night.recipe.answers, stages.learner(night).student
    letters = answers.reply == "letter"
    return Questions(file=str(file), letters=letters, fallback=answers.fallback, max_tokens=student.max_tokens)


def _reference(night: Night, stage: Stage) -> str | None:
    """What dpo is held to, where that is not the stage that it begins with."""
    if stage.kind == "sft" or stage.reference == stage.start:
        return None
    found = stages.weights(night, stage.reference)
    return str(found.adapter or found.model)
