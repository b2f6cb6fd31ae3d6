"""A stage of the student as others can load it: its adapter as it is, or put into its base in a process of its own."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import Any

import orjson

from blocks.disk import write_whole
from blocks.process import run_guarded
from nightschool.chunks import Chunk
from nightschool.errors import WorldError
from nightschool.recipe.package import Package
from nightschool.training.merge_job import Merged, MergeJob
from tasks import branches, progress, stages
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    section = night.recipe.package
    if section is None or night.recipe.learner is None:
        return []
    left_out = branches.skipped(night)
    names = [name for name in section.names(night.recipe.stages) if name not in left_out]
    return [
        night.chunk(f"package/{name}", 0, place, f"package of {name}", rows=0, after=stages.made_from(night, name))
        for place, name in enumerate(names)
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.package
    assert section is not None
    forms = section.forms_of(stages.learner(night).stage(chunk.part))
    if forms == ("adapter",):
        return Made(figures={"forms": forms})
    began = time.monotonic()
    night.store.folder(chunk).mkdir(parents=True, exist_ok=True)
    at = night.store.path(chunk, "job.json")
    write_whole(at, _job(night, chunk, section).model_dump_json(indent=1).encode())
    progress.tracker(chunk.phase).say("loading torch and the model")
    said: list[dict[str, Any]] = []
    command = [sys.executable, "-P", "-m", "nightschool.training.merging", str(at)]
    run_guarded(command, log=night.store.path(chunk, "log"), on_line=said.append, known_in=night.servers)
    if not said:
        raise WorldError(f"merging {chunk.part} ended without a word; log: {night.store.path(chunk, 'log')}")
    merged = Merged.model_validate(said[-1])
    folders = [night.store.path(chunk, form) for form in forms if form != "adapter"]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    figures = {"forms": forms, "merged": merged.model_dump(), "seconds": time.monotonic() - began}
    return Made(figures=figures, files=files)


def _job(night: Night, chunk: Chunk, section: Package) -> MergeJob:
    found = stages.weights(night, chunk.part)
    forms = section.forms_of(stages.learner(night).stage(chunk.part))
    trained = stages.training(night, chunk.part)
    return MergeJob.model_validate({
        "model": found.model,
        "adapter": str(found.adapter) if found.adapter else None,
        "dtype": section.dtype,
        "prompts": _prompts(night.store.path(trained, "taught.jsonl"), section.checked),
        "output": str(night.store.path(chunk, "merged")),
        "quantised": str(night.store.path(chunk, "quantised")) if "quantised" in forms else None,
        "method": section.quantise,
        "threads": section.threads,
    })  # fmt: skip


def _prompts(taught: Path, count: int) -> list[object]:
    """The first prompts that the stage was trained on."""
    with taught.open("rb") as file:
        return [orjson.loads(line)["prompt"] for line in itertools.islice(file, count)]


STEP = Step("package", chunks, make, here=True)
