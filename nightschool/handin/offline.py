"""From a night's recipe to one of its ensemble alone, whose models lie in a folder, and the files that Kaggle wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from nightschool.errors import RecipeError
from nightschool.recipe.load import dump_recipe
from nightschool.recipe.models import Model, Settings
from nightschool.recipe.predict import models
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.source import RecipeDumper
from nightschool.report.text import visible

PROBLEMS = "problems.csv"
_KEPT = ("name", "description", "seed", "topics", "serve", "answers", "committee", "predict")
_OWNER = "YOUR_NAME"
_COMPETITION = "ai-mathematical-olympiad-progress-prize-3"
# Of the contest's third prize; what its time budget is shared among where the recipe does not say.
_PROBLEMS = 50


def check(recipe: Recipe) -> None:
    """That the ensemble can answer without a network.

    Raises:
        RecipeError: there is none, a model is an endpoint, or a stage is shown drafts.
    """
    if recipe.predict is None:
        raise RecipeError("the recipe has no such section, so there is nothing to predict", field="predict")
    asked = models(recipe)
    if away := [one.name for one in recipe.teachers if one.name in asked and (one.urls or one.endpoint)]:
        raise RecipeError(f"{away[0]} is an endpoint, and the notebook runs without a network",
                          field="predict.models", allowed="models that are served here")  # fmt: skip
    if shown := [
        name for name in asked if recipe.learner and is_student(recipe, name) and recipe.learner.draft_of(name)
    ]:
        raise RecipeError(f"{shown[0]} is shown drafts by another stage, which the notebook does not make",
                          field="predict.models", allowed="a stage without draft_of")  # fmt: skip


def is_student(recipe: Recipe, name: str) -> bool:
    """Whether a model of the ensemble is the base or a stage of the student."""
    return name not in [teacher.name for teacher in recipe.teachers]


def student_as_model(recipe: Recipe, name: str, base: str, adapter: str | None) -> dict[str, Any]:
    """The base or a stage as a model of its own, served as the student was."""
    student = recipe.student
    assert student is not None, "it is the student's"
    said = {key: value for key in Settings.model_fields if (value := getattr(student, key)) is not None}
    engine = {} if student.engine is None else {"engine": student.engine}
    return Model.model_validate({"name": name, "model": base, "adapter": adapter, **engine, **said}).model_dump(
        mode="json"
    )


def offline(recipe: Recipe, teachers: Sequence[dict[str, Any]]) -> str:
    """The recipe of the ensemble alone, as YAML.

    Args:
        teachers: all that are asked, as the recipe's section has them, at their places in the folder.
    """
    whole = yaml.safe_load(dump_recipe(recipe))
    found = {name: whole[name] for name in _KEPT if name in whole}
    engine = found["serve"].get("engine", "auto")
    found["teachers"] = [{**one, "engine": one.get("engine") or engine} for one in teachers]
    found["pool"] = {"file": PROBLEMS, "fields": {"question": "problem", "id": "id"}}
    found["committee"]["verifier"] = "none"  # nobody knows the contest's answers
    section = found["predict"]
    section |= {"questions": None, "sample": None, "models": [one["name"] for one in teachers]}
    section["budget"]["problems"] = section["budget"].get("problems") or _PROBLEMS
    return yaml.dump(found, Dumper=RecipeDumper, sort_keys=False, allow_unicode=True, width=120)


def kernel(night: str) -> dict[str, Any]:
    """kernel-metadata.json, as Kaggle's command reads it: a GPU, no internet, the dataset and the contest attached."""
    return {
        "id": f"{_OWNER}/{_slug(night)}", "title": _slug(night), "code_file": "notebook.ipynb", "language": "python",
        "kernel_type": "notebook", "is_private": True, "enable_gpu": True, "enable_internet": False,
        "dataset_sources": [f"{_OWNER}/{_slug(night)}-dataset"], "competition_sources": [_COMPETITION],
        "kernel_sources": [], "model_sources": [],
    }  # fmt: skip


def dataset(night: str) -> dict[str, Any]:
    """dataset-metadata.json."""
    title = f"{_slug(night)}-dataset"
    return {"title": title, "id": f"{_OWNER}/{title}", "licenses": [{"name": "other"}]}


def readme(night: str, found: dict[str, str]) -> str:
    """How the folder comes to Kaggle, and which models are to be attached there."""
    rows = "\n".join(f"| {visible(name)} | `{visible(where)}` |" for name, where in found.items())
    return _README.format(night=visible(night), rows=rows, owner=_OWNER)


def _slug(night: str) -> str:
    return f"nightschool-{night.lower().replace('_', '-').replace('.', '-')}"


_README = """# Night {night} on Kaggle

`notebook.ipynb` answers the contest's problems with the night's ensemble, without internet; it reads `dataset/`.

```console
$ sed -i 's/{owner}/your-name/' kernel-metadata.json dataset/dataset-metadata.json
$ pip download -r dataset/requirements.txt -d dataset/wheels --only-binary=:all:   # by the Python of Kaggle's image
$ kaggle datasets create -p dataset -r zip
$ kaggle kernels push -p .
```

| model | where it is |
|---|---|
{rows}

A model under `models/` is in the dataset. One with a hub id is to be attached as a Kaggle model or dataset
(`model_sources` in kernel-metadata.json); it is found by the last part of its id. A real model wants its engine: add
vLLM's wheels to `dataset/wheels` and a line for it to `dataset/requirements.txt`.

To try it here, run the notebook from this folder: without a gateway it answers `test.csv`, or `dataset/problems.csv`,
into `submission.csv`.
"""
