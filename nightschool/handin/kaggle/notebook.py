# %% [markdown]
# # An ensemble of nightschool
#
# Answers the contest's problems with the models, templates, votes and time budget of a night's recipe, offline, from
# what is attached: the dataset with recipe, sources and the student, and the models that the recipe names by their
# hub ids. Nothing is fetched.
#
# `INPUT` is where Kaggle lays attached data; beside the notebook, `dataset/` is found as well.

# %%
"""Answers a contest's problems under its evaluation gateway, or into submission.csv where there is none."""

import csv
import importlib
import os
import subprocess
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

HERE, INPUT = Path.cwd(), Path("/kaggle/input")
# As attached models are laid out: slug/framework/variation/version, and the file at the end.
DEEPEST = 6


def attached(name: str) -> list[Path]:
    """Files of this name in the dataset beside the notebook and in whatever is attached, the nearest first."""
    found = [path for depth in range(DEEPEST) for path in sorted(INPUT.glob("/".join([*["*"] * depth, name])))]
    return [path for path in (HERE / "dataset" / name, *found) if path.exists()]


DATASET = attached("nightschool-night.json")[0].parent

# %% [markdown]
# Packages that the image lacks come from the dataset's `wheels/`, if it has that folder.

# %%
if (DATASET / "wheels").is_dir():
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", str(DATASET / "wheels")]
    subprocess.run([*pip, "-r", str(DATASET / "requirements.txt")], check=True)
sys.path.insert(0, str(DATASET / "source"))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(DATASET / "source"), os.environ.get("PYTHONPATH")]))
os.environ["HF_HUB_OFFLINE"] = "1"

# %% [markdown]
# Each model of the recipe is in the dataset, or among the attached ones under the last part of its hub id. One that is
# not found, or does not come up, leaves the others.

# %%
import yaml

RECIPE = DATASET / "recipe.yaml"


def folder_of(model: str) -> str:
    """Where a model lies; its own name if nowhere."""
    if (DATASET / model).is_dir():
        return str(DATASET / model)
    wanted = model.rsplit("/", 1)[-1].casefold()
    found = [path.parent for path in attached("config.json") if wanted in str(path.parent).casefold()]
    return str(found[0]) if found else model


def settings() -> list[str]:
    """The recipe's fields that depend on where things lie here."""
    found = [f"store={HERE / 'runs'}"]
    for place, model in enumerate(yaml.safe_load(RECIPE.read_text(encoding="utf-8"))["teachers"]):
        if model["engine"] != "scripted":
            found.append(f"teachers.{place}.model={folder_of(model['model'])}")
            found += [f"teachers.{place}.adapter={folder_of(model['adapter'])}"] if model.get("adapter") else []
    return found


# %% [markdown]
# The gateway calls `predict` for each problem. Models come up at the first one, and the budget runs from there.

# %%
night = ExitStack()


@cache
def ensemble() -> Any:
    """The night's models, up and ready to vote."""
    opened = importlib.import_module("flows.gateway").opened
    return night.enter_context(opened(str(RECIPE), sets=settings()))


def predict(id_: Any, problem: Any = None, *more: Any) -> Any:
    """The answer to one problem, in the form in which it came."""
    return ensemble().predict(id_, problem, *more)


# %% [markdown]
# Under the contest's gateway, or with its test file through the gateway's local stand-in; without a gateway, the
# contest's `test.csv`, or the dataset's own problems, go into `submission.csv`.

# %%
for folder in attached("kaggle_evaluation"):
    sys.path.append(str(folder.parent))
tests = [*attached("test.csv"), DATASET / "problems.csv"]
try:
    gateway = importlib.import_module("kaggle_evaluation.aimo_3_inference_server")
except ImportError:
    gateway = None

with night:
    if gateway is not None:
        server = gateway.AIMO3InferenceServer(predict)
        if os.environ.get("KAGGLE_IS_COMPETITION_RERUN"):
            server.serve()
        else:
            server.run_local_gateway((str(tests[0]),))
    else:
        with tests[0].open(encoding="utf-8", newline="") as file:
            rows = [(row["id"], predict(row["id"], row["problem"])) for row in csv.DictReader(file)]
        with (HERE / "submission.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("id", "answer"), *rows])
        print(f"{len(rows)} answers in submission.csv")
