"""The school: tiny models made on the spot, one process a run."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from blocks.disk import write_whole
from blocks.process import run_guarded
from nightschool.chunks import Chunk
from nightschool.recipe.models import Model
from nightschool.tinymodels import spec
from tasks import progress
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    runs = spec.runs(night.recipe.school) if night.recipe.school else []
    return [
        night.chunk(f"school/{run.name}", 0, ordinal, f"school {', '.join(run.models)}", rows=0)
        for ordinal, run in enumerate(runs)
    ]


def chunk_of(night: Night, model: Model) -> list[Chunk]:
    """The chunk that holds this model, none if the school does not make it."""
    runs = spec.runs(night.recipe.school) if night.recipe.school else []
    name = model.model.removeprefix("school:")
    return [chunk for chunk, run in zip(chunks(night), runs, strict=True) if name in run.models]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    assert night.recipe.school is not None
    run = next(one for one in spec.runs(night.recipe.school) if one.name == chunk.part)
    target, log = night.store.path(chunk, "out"), night.store.path(chunk, "log")
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    at = night.store.path(chunk, "run.json")
    write_whole(at, run.model_dump_json(indent=1).encode())
    counts = progress.tracker("school")

    def step(line: dict[str, Any]) -> None:
        counts.steps(chunk.part, int(line.get("step", 0)), int(line.get("steps", 0)))

    command = [sys.executable, "-m", "nightschool.tinymodels", str(at), str(target)]
    run_guarded(command, log=log, on_line=step, known_in=night.servers)
    return Made(files=sorted(path for path in target.rglob("*") if path.is_file()))


STEP = Step("school", chunks, make, at_once=lambda night: 2, here=True)
