"""Reuse from the command line: a changed prompt is told, redone, or accepted aloud."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.half_night import maker

ROOT = Path(__file__).parents[2]
NO_STUDENT = ("student=null", "sft=null", "validate=null")
OLD = "The rows of answers were made by an older recipe: answers.txt changed; accepted by --accept-stale"

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def nightschool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(folder / "prefect")}
    env.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "flows.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=250, check=False)


def sent(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["requests"]["sent"]


def test_a_changed_prompt_is_redone_unless_a_person_accepts_the_old_rows(tmp_path: Path) -> None:
    maker(tmp_path)()
    recipe = ["run", "recipe.yaml", *(word for field in NO_STUDENT for word in ("--set", field))]
    asked = sent(nightschool(tmp_path, *recipe, "--json"))
    assert asked > 32
    (tmp_path / "answers.txt").write_text("[user]\nThink.\n$question\n$choices\n", encoding="utf-8")

    accepted = nightschool(tmp_path, *recipe, "--accept-stale", "answers")
    assert "answers    reuse       6  answers.txt changed; accepted" in accepted.stderr
    assert "requests   0 sent" in accepted.stdout
    assert OLD in accepted.stdout
    assert OLD in (tmp_path / "runs/nights/first-half/report.html").read_text("utf-8")
    run = json.loads((tmp_path / "runs/nights/first-half/run.json").read_bytes())
    assert run["accepted"] == {"answers": "answers.txt changed"}
    assert sent(nightschool(tmp_path, "rerun", "first-half", "--accept-stale", "answers", "--json")) == 0

    planned = nightschool(tmp_path, *["plan", *recipe[1:]])
    assert "answers    redo        6" in planned.stdout
    redone = nightschool(tmp_path, *recipe, "--json")
    assert "answers    redo        6  answers.txt changed" in redone.stderr
    assert sent(redone) == asked - 16
    assert "accept" not in redone.stderr
