"""A night's ensemble as a Kaggle notebook: the notebook, what is attached to it, and how both get there."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import orjson

from nightschool.errors import RecipeError
from nightschool.handin import offline
from nightschool.handin.notebook import notebook
from nightschool.recipe.predict import models
from tasks import stages
from tasks.export_folder import digests, new_folder
from tasks.given import Given, HandedIn
from tasks.night import Night
from tasks.problems import problems

_FORMAT = "kaggle"
_TEMPLATES = Path(offline.__file__).parent / "kaggle"
_ROOT = Path(offline.__file__).parents[2]
# What `flows.gateway` needs of ours.
_SOURCES = ("nightschool", "blocks", "tasks", "flows")
_CONFIGS = ("models.yaml", "contests/aimo.yaml", "contests/aaipl.yaml")
_NO_SOURCE = shutil.ignore_patterns("__pycache__", "*.pyc")
# Problems that are laid beside the recipe, for a rehearsal without the contest's file.
_REHEARSAL = 10


def hand_in(night: Night, to: Path | None = None, *, force: bool = False) -> HandedIn:
    """Writes the notebook with its metadata, and the dataset that is to be attached to it.

    Raises:
        RecipeError: the night has no ensemble, one of its models needs a network or is not trained, or the folder is
            there already.
        WorldError: the folder cannot be written.

    Source: plan 003, phases 3.5 and 3.6.
    """
    offline.check(night.recipe)
    _trained(night)
    folder = (to or night.dir / "exports" / f"{night.name}-{_FORMAT}").absolute()
    with new_folder(folder, force=force) as half:
        found = _write(night, half)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return found.model_copy(update={"folder": str(folder), "bytes": size})


def _trained(night: Night) -> None:
    for name in models(night.recipe):
        if offline.is_student(night.recipe, name) and name != stages.BASE and not stages.made_from(night, name):
            raise RecipeError(f"stage {name} has not been trained", field="predict.models",
                              allowed=f"nightschool run, with --name {night.name}")  # fmt: skip


def _write(night: Night, folder: Path) -> HandedIn:
    dataset = folder / "dataset"
    dataset.mkdir()
    given = Given(night, dataset, "models")
    asked = [_model(night, name, given) for name in models(night.recipe)]
    (dataset / "recipe.yaml").write_text(offline.offline(night.recipe, asked), encoding="utf-8")
    _rehearsal(night, dataset / offline.PROBLEMS)
    _sources(dataset / "source")
    shutil.copyfile(_TEMPLATES / "requirements.txt", dataset / "requirements.txt")
    _json(dataset / "nightschool-night.json", {"night": night.name, "recipe": night.recipe.name})
    _json(dataset / "dataset-metadata.json", offline.dataset(night.name))
    _json(folder / "kernel-metadata.json", offline.kernel(night.name))
    _json(folder / "notebook.ipynb", notebook((_TEMPLATES / "notebook.py").read_text(encoding="utf-8")))
    named = {one["name"]: one["model"] for one in asked}
    (folder / "README.md").write_text(offline.readme(night.name, named), encoding="utf-8")
    found = HandedIn(night=night.name, format=_FORMAT, models=named, files=digests(folder))
    text = found.model_dump_json(indent=1, exclude={"folder", "zip", "bytes"})
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return found


def _model(night: Night, name: str, given: Given) -> dict[str, Any]:
    """A model of the ensemble as the notebook's recipe has it, its files laid down."""
    if offline.is_student(night.recipe, name):
        return offline.student_as_model(night.recipe, name, *given.student(name))
    teacher = next(one for one in night.recipe.teachers if one.name == name)
    found = teacher.model_dump(mode="json")
    if teacher.script is None:
        found["model"] = given.model(night.model_path(teacher), name)
        if teacher.adapter:
            found["adapter"] = given.lay(Path(teacher.adapter), f"{name}-adapter", found["model"])
    elif (answers := teacher.script.answers) and answers.file:
        paths = [Path(path) for path in answers.file.paths]
        (given.folder / "scripts").mkdir(exist_ok=True)
        for path in paths:
            shutil.copyfile(path, given.folder / "scripts" / path.name)
        found["script"]["answers"]["file"] = [f"scripts/{path.name}" for path in paths]
    return found


def _rehearsal(night: Night, file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        rows = [(one.name, one.question.question) for one in problems(night)[:_REHEARSAL]]
        csv.writer(opened, lineterminator="\n").writerows([("id", "problem"), *rows])


def _sources(into: Path) -> None:
    for name in _SOURCES:
        shutil.copytree(_ROOT / name, into / name, ignore=_NO_SOURCE)
    for name in _CONFIGS:
        (into / "configs" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_ROOT / "configs" / name, into / "configs" / name)


def _json(path: Path, content: Any) -> None:
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
