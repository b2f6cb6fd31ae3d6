"""The notebook, its cells run in their order in a process of their own: under a gateway, and without one.

No Jupyter: a kernel would add a message protocol and twenty packages, and nothing that these cells use.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from nightschool.contest_file import find_contest, judge_file, load_contest
from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe
from tasks.kaggle import hand_in
from tasks.night import Night
from tasks.steps import STEPS
from tests.integration.tiny_training import text_only

pytestmark = pytest.mark.integration
text_only = pytest.fixture(autouse=True, scope="module")(text_only)

RECIPE = """
name: olympiad
store: {store}
serve: {{engine: transformers, max_model_len: 256, startup_timeout_s: 200}}
teachers:
  - name: ann
    model: ann
    engine: scripted
    script: {{behaviour: maths, answers: {{file: q.csv, fields: {{question: problem, answer: gt}}}},
              models: {{ann: {{accuracy: 1.0}}}}}}
  - {{name: far, model: far, urls: ["http://127.0.0.1:9/v1"]}}
student: {{name: kim, model: {base}, prompt: plain.txt, max_tokens: 16}}
pool: {{file: q.csv, fields: {{question: problem, answer: gt, id: id}}}}
answers: {{reply: text, value: integer, prompt: plain.txt, temperature: 0.7, max_tokens: 16}}
committee: {{quorum: 1, min_agreement: 0.5}}
splits: {{test: 0.5}}
sft: {{learning_rate: 1e-3}}
validate: {{}}
predict:
  models: [ann, sft]
  templates: {{plain: plain.txt, polite: polite.txt}}
  contest: aimo
  stand_in: "7"
"""
# What Kaggle's own does with a listener: each row alone, by two columns of one row.
GATEWAY = """
import os, pandas as pd

class AIMO3InferenceServer:
    def __init__(self, predict):
        self.predict = predict

    def run_local_gateway(self, places):
        rows = pd.read_csv(places[0])
        rows = [rows.iloc[[n]].reset_index(drop=True) for n in range(len(rows))]
        pd.concat([self.predict(row["id"], row["problem"]) for row in rows]).to_csv("from_gateway.csv", index=False)

    def serve(self):
        self.run_local_gateway(["hidden.csv"])
"""
RUN = """
import json
script = json.load(open("notebook.ipynb"))
space = {"__name__": "__main__"}
for cell in script["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
"""


def plan(folder: Path) -> Night:
    (folder / "plain.txt").write_text("[user]\n$question\n")
    (folder / "polite.txt").write_text("[user]\nPlease: $question\n")
    lines = [f"p{n},How much is {n} and 1 together?,{n + 1}" for n in range(4)]
    (folder / "q.csv").write_text("\n".join(["id,problem,gt", *lines]) + "\n")
    (folder / "r.yaml").write_text(RECIPE.format(store=folder / "runs", base=folder / "base"))
    return Night.plan(load_recipe(folder / "r.yaml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is left of a night whose student has an adapter of random weights: the rest is gone."""
    from tests.integration import random_qwen2

    at = tmp_path_factory.mktemp("kaggle")
    random_qwen2.make(at / "base", hidden=64, layers=2)
    night = plan(at)
    night.begin()
    with pytest.raises(RecipeError, match="stage sft has not been trained"):
        hand_in(night)
    [chunk] = STEPS["sft"].chunks(night)
    out = random_qwen2.make_adapter(at / "base", night.store.path(chunk, "out"))
    night.store.commit(chunk, rows=(), dropped=(), figures={"training": {"rows": 1}}, files=sorted(out.iterdir()))
    found = Path(hand_in(night).folder)
    alone = tmp_path_factory.mktemp("alone") / "kernel"
    shutil.move(found, alone)
    shutil.rmtree(at)
    return alone


def run(folder: Path, **env: str) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run([sys.executable, "-P", "-c", RUN], cwd=folder, env={**kept, "OMP_NUM_THREADS": "1", **env},
                          capture_output=True, text=True, timeout=280)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def answered(path: Path) -> dict[str, str]:
    contest = load_contest(find_contest("aimo"))
    judged = judge_file(path, contest)
    assert judged.valid == len(judged.rows)
    with path.open() as file:
        return {row["id"]: row["answer"] for row in csv.DictReader(file)}


def test_without_a_gateway_the_problems_beside_it_become_a_submission(folder: Path) -> None:
    assert "4 answers in submission.csv" in run(folder)
    assert answered(folder / "submission.csv") == {f"p{n}": str(n + 1) for n in range(4)}


def test_under_a_gateway_it_is_asked_row_by_row(folder: Path) -> None:
    (folder / "dataset" / "kaggle_evaluation").mkdir()
    (folder / "dataset" / "kaggle_evaluation" / "aimo_3_inference_server.py").write_text(GATEWAY)
    (folder / "hidden.csv").write_text("id,problem\nz,How much is 2 and 1 together?\n")
    run(folder, KAGGLE_IS_COMPETITION_RERUN="1")
    assert answered(folder / "from_gateway.csv") == {"z": "3"}


def test_the_notebook_is_one_and_its_metadata_keep_it_offline(folder: Path) -> None:
    found = orjson.loads((folder / "notebook.ipynb").read_bytes())
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in found["cells"]}) == len(found["cells"]) > 6
    assert {cell["cell_type"] for cell in found["cells"]} == {"code", "markdown"}
    kernel = orjson.loads((folder / "kernel-metadata.json").read_bytes())
    assert kernel["enable_internet"] is False
    assert (folder / kernel["code_file"]).is_file()


def test_an_ensemble_that_needs_a_network_is_refused(tmp_path: Path) -> None:
    plan(tmp_path)
    with pytest.raises(RecipeError, match="far is an endpoint"):
        hand_in(Night.plan(load_recipe(tmp_path / "r.yaml", sets=["predict.models=[ann, far]"])))
    with pytest.raises(RecipeError, match="nothing to predict"):
        hand_in(Night.plan(load_recipe(tmp_path / "r.yaml", sets=["predict=null"])))
