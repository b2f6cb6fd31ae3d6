"""docs/own_recipe.md as a new user follows it: its files and its commands, in an empty folder, in their order."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from string import Template

import pytest

from blocks.scripted.local import scripted
from nightschool.recipe.data_file import Source
from nightschool.recipe.script import Script, ScriptedModel
from tests.fences import blocks

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/own_recipe.md"
KEY = "a-key-that-both-want"

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]


def plain(line: str) -> str:
    """A line with its numbers and spaces made alike: times, shares and addresses are each machine's own."""
    return " ".join(re.sub(r"[+\u2212]?\d[\d.,:]*", "#", re.sub(r"https?://\S+", "URL", line)).split())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The guide's two endpoints, each with its model, behind a key; and what is in the reader's environment."""
    data = tmp_path / "known.csv"
    data.write_text(next(block.content for block in blocks(GUIDE) if block.file == "quiz.csv"), encoding="utf-8")
    fields = {"question": "question", "choices": ["a", "b", "c", "d"], "letter": "right"}
    known = Source.model_validate_json(json.dumps({"fields": fields, "file": str(data)}))
    monkeypatch.setenv("NIGHTSCHOOL_API_KEY", KEY)
    with ExitStack() as up:
        urls = [
            up.enter_context(scripted(Script(models={model: ScriptedModel(accuracy=right)}, answers=known)))
            for model, right in (("qwen3-14b", 0.85), ("mistral-nemo", 0.6))
        ]
        yield {"ANN_URL": urls[0], "BEN_URL": urls[1], "TEACHER_KEY": KEY}


def test_a_new_user_gets_from_the_guide_to_a_report(world: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    mine = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(tmp_path / "prefect"), "OMP_NUM_THREADS": "1"}
    env = {name: value for name, value in mine.items() if name not in ("NIGHTSCHOOL_API_KEY", "PREFECT_API_URL")}
    said = ""
    ran: list[str] = []
    for block in blocks(GUIDE):
        if block.file:
            (folder / block.file).write_text(block.content, encoding="utf-8")
        for command in block.commands:
            name, *words = shlex.split(Template(command).safe_substitute(world))
            if name == "export":
                assert {word.partition("=")[0] for word in words} == set(world)
                continue
            assert name == "nightschool", command
            run = [sys.executable, "-m", "flows.cli", *words]
            done = subprocess.run(run, cwd=folder, env=env | world, capture_output=True, text=True, timeout=600)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            said = done.stdout + done.stderr
            ran.append(words[0])
        if block.kind == "text" and not block.file:
            heard = {plain(line) for line in said.splitlines()}
            assert [line for line in block.text.splitlines() if plain(line) not in {*heard, "", "..."}] == [], said
    assert ran[:3] == ["check", "plan", "run"]
    assert (folder / "runs/nights/quiz/report.html").is_file()
