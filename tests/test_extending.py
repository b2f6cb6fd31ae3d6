"""docs/extending.md as who adds a topic and a voting rule follows it: on a copy of the code, with its tests."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fences import blocks

ROOT = Path(__file__).parents[1]
COPIED = ("nightschool", "flows", "tasks", "blocks", "configs", "tests")
PROGRAMS = {"python": [sys.executable], "nightschool": [sys.executable, "-m", "flows.cli"]}

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]


def run(command: list[str], folder: Path, text: str | None = None) -> str:
    env = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    env |= {"PYTHONPATH": str(folder), "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    done = subprocess.run(command, cwd=folder, env=env, input=text, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_topic_and_the_voting_rule_of_the_page_fit_the_code(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    said = []
    for block in blocks(ROOT / "docs/extending.md"):
        if block.file:
            (folder / block.file).write_text(block.content, encoding="utf-8")
        if block.kind == "diff":
            run(["git", "apply", "-"], folder, block.text)
        for command in block.commands:
            program, *words = shlex.split(command)
            said.append(run([*PROGRAMS[program], *words], folder))
    topic, plan, vote = said
    assert "passed" in topic
    assert "questions" in plan
    assert "passed" in vote
    run([sys.executable, "-m", "ruff", "check", "nightschool"], folder)
    run([sys.executable, "-m", "ruff", "format", "--check", "nightschool"], folder)
