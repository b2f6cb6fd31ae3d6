"""What plan and check say of a file, before anything is asked of anyone."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from blocks.preflight.questions import questions_checks
from flows.cli.app import app
from nightschool.recipe.load import load_recipe

RECIPE = """\
name: data
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}]
pool: {{kind: deepscaler, file: q.jsonl, levels: [1, 2], max_bad_rows: 1}}
answers: {{reply: text, prompt: p.txt, value: latex}}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    rows = [{"problem": f"{n}?", "answer": None if n == 3 else str(n % 2), "difficulty": 1.0 + n % 3} for n in range(9)]
    lines = [*map(orjson.dumps, rows), b"{", orjson.dumps(rows[0])]
    (tmp_path / "q.jsonl").write_bytes(b"\n".join(lines))
    (tmp_path / "p.txt").write_text("[user]\n$question\n")
    (tmp_path / "r.yaml").write_text(RECIPE.format(store=tmp_path / "runs"))
    return tmp_path / "r.yaml"


def test_plan_shows_rows_answers_levels_and_bad_rows(recipe: Path) -> None:
    shown = CliRunner().invoke(app, ["plan", str(recipe)]).stdout
    assert "questions: 11 rows, 6 questions, 1 bad, 1 without an answer, 3 other_level, 1 duplicate" in shown
    assert "answers: 0 3 (60.0%), 1 2 (40.0%)" in shown
    assert "levels: 1 3 (50.0%), 2 3 (50.0%)" in shown
    assert "bad: q.jsonl:10: " in shown
    found = orjson.loads(CliRunner().invoke(app, ["plan", str(recipe), "--json"]).stdout)["questions"]
    assert found["dropped"] == {"other_level": 3, "duplicate": 1, "not_json": 1}


def test_check_warns_of_bad_rows_and_of_a_canary_and_fails_without_the_file(recipe: Path) -> None:
    (check,) = questions_checks(load_recipe(recipe))
    assert (check.outcome, check.detail[:32]) == ("warn", "11 rows, 6 questions, 1 bad, 1 w")
    begun = load_recipe(recipe)
    file = recipe.with_name("q.jsonl")
    file.write_bytes(file.read_bytes().replace(b'{"problem"', b'{"canary": "canary GUID 1", "problem"', 1))
    assert "canary" in questions_checks(load_recipe(recipe))[0].detail
    file.unlink()
    (gone,) = questions_checks(begun)
    assert gone.outcome == "fail"
    assert "q.jsonl: cannot be read: No such file" in gone.detail
