"""The contest's folder: what lies in it, that it is whole, and nights that have nothing to hand in."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from flows.cli.app import app
from nightschool import contest_file
from nightschool.errors import RecipeError, WorldError
from nightschool.recipe.load import load_recipe
from tasks.handin import hand_in
from tasks.night import Night
from tasks.steps import STEPS
from tests import file_night
from tests.half_night import Make
from tests.nightschool.example_report import example
from tests.tasks.test_packing import ADAPTER

AGENTS = "sft=[{name: asker, teaches: questions, learning_rate: 1e-3}, {name: solver, learning_rate: 1e-3}]"
ROLES = "sft={teaches: {questions: 1, answers: 2}, roles: {}, learning_rate: 1e-3}"


def trained(night: Night) -> Night:
    """The same with its stages on file, without having been trained."""
    night.begin()
    for chunk in STEPS["sft"].chunks(night):
        out = night.store.path(chunk, "out")
        out.mkdir(parents=True)
        for name, content in ADAPTER.items():
            (out / name).write_bytes(content)
        figures = {"training": {"rows": 17}}
        night.store.commit(chunk, rows=(), dropped=(), figures=figures, files=sorted(out.iterdir()))
    return night


def read(folder: Path, name: str) -> dict:
    return yaml.safe_load((folder / name).read_text())


def test_two_agents_of_a_base_on_the_hub(make: Make) -> None:
    night = trained(make(AGENTS, "student.model=Qwen/Qwen2.5-14B-Instruct", "student.max_tokens=400"))
    found = hand_in(night)
    folder = Path(found.folder)
    assert found.models == {"questions": "asker", "answers": "solver"}
    asker, solver = read(folder, "qgen.yaml"), read(folder, "agen.yaml")
    assert (asker["base"], asker["adapter"]) == ("Qwen/Qwen2.5-14B-Instruct", "hf_models/asker")
    assert (solver["user"], solver["max_tokens"], solver["seconds"]) == ("$question\n$choices", 400, 9.0)
    assert asker["user"] == "Write on $topic with $hint."
    config = json.loads((folder / "hf_models" / "asker" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "Qwen/Qwen2.5-14B-Instruct"
    hints = json.loads((folder / "hints.json").read_text())
    assert set(hints) == set(asker["topics"])
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {*found.files, "manifest.json"}
    assert not [name for name in files if name.endswith((".pyc", "evil.py", "training.json"))]
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == mark for name, mark in found.files.items())
    assert found.zip
    with zipfile.ZipFile(found.zip) as archive:
        assert {name.partition("/")[2] for name in archive.namelist()} == files
    assert (folder / "contest.yaml").read_bytes() == contest_file.find_contest("aaipl").read_bytes()


def test_one_student_in_two_roles_lies_there_once(make: Make, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    night = trained(make(ROLES, f"student.model={base}"))
    (night.dir / "report.json").write_text(example().model_dump_json())
    folder = Path(hand_in(night).folder)
    asker, solver = read(folder, "qgen.yaml"), read(folder, "agen.yaml")
    measured = (folder / "README.md").read_text().partition("## What the night measured")[2]
    assert f"{example().night.verdict}.\n\n| gate |" in measured
    assert "(95% interval +17.5 points to +23.8 points, n 1,680)" in measured
    assert asker["user"].startswith("<Q> ")
    assert solver["user"].startswith("<A> ")
    assert {one["adapter"] for one in (asker, solver)} == {"hf_models/sft"}
    assert {one["base"] for one in (asker, solver)} == {"hf_models/base"}
    assert sorted(path.name for path in (folder / "hf_models").iterdir()) == ["base", "sft"]


def test_a_night_that_has_no_two_agents_is_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no stage of this night learned to write questions"):
        hand_in(trained(make()))
    with pytest.raises(RecipeError, match="no stage of this night learned to write answers"):
        hand_in(trained(make("sft={teaches: questions, learning_rate: 1e-3}", name="asking")))
    with pytest.raises(RecipeError, match="no stage of this night learned to write questions"):
        hand_in(Night.plan(load_recipe(file_night.write_solutions(tmp_path))))
    with pytest.raises(WorldError, match="asker of night early is not trained yet"):
        hand_in(make(AGENTS.replace("1e-3", "2e-3"), name="early"))


def test_the_command_says_where_it_is_and_writes_over_nothing(make: Make) -> None:
    night = trained(make(AGENTS))
    asked = ["export", night.name, "--store", str(night.store.root), "--format", "aaipl"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.exception
    assert f"{night.name}-aaipl.zip" in told.stdout
    assert isinstance(CliRunner().invoke(app, asked).exception, RecipeError)
    assert isinstance(CliRunner().invoke(app, [*asked, "--force", "--phase", "pool"]).exception, RecipeError)
    again = json.loads(CliRunner().invoke(app, [*asked, "--force", "--json"]).stdout)
    assert again["models"] == {"questions": "asker", "answers": "solver"}


def test_what_is_handed_in_imports_nothing_but_what_it_says(make: Make) -> None:
    folder = Path(hand_in(trained(make(AGENTS))).folder)
    wanted = {line.split(">")[0].lower() for line in (folder / "requirements.txt").read_text().splitlines()}
    found: set[str] = set()
    for path in (folder / "agents").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {one.name.partition(".")[0] for one in node.names}
            if isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    others = found - {"agents", *sys.stdlib_module_names}
    assert {"pyyaml" if name == "yaml" else name for name in others} == wanted
