"""Recipes on files: lists of them, choices and letters, levels, and what is told of a file that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.recipe.load import dump_recipe, load_recipe

RECIPE = """\
name: data
teachers: [{name: ann, model: /m/a}, {name: ben, model: /m/b}]
pool: {file: [a.jsonl, b.jsonl], fields: {choices: c, letter: l}}
answers: {prompt: p.txt}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.txt").write_text("[user]\n$question\n$choices\n")
    (tmp_path / "a.jsonl").write_text('{"question": "1?", "c": ["x", "y"], "l": "A"}\n')
    (tmp_path / "b.jsonl").write_text(
        '{"question": "1?", "c": ["x", "y"], "l": "A"}\n{"question": "2?", "c": ["x", "y", "z"], "l": "C"}\n'
    )
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


def test_several_files_are_one_pool_of_letters(folder: Path) -> None:
    recipe = load_recipe(folder / "r.yaml")
    assert recipe.pool.file
    assert (recipe.pool.file.rows, recipe.pool.file.choices, recipe.verifier) == (3, 2, "truth")
    assert [row.truth for row in recipe.pool.load().questions] == ["A", "C"]
    (folder / "again.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(folder / "again.yaml") == recipe


def test_a_file_is_read_once_until_it_changes(folder: Path) -> None:
    pool = load_recipe(folder / "r.yaml").pool
    assert load_recipe(folder / "r.yaml").pool.load() is pool.load()
    (folder / "a.jsonl").write_text('{"question": "3?", "c": ["x", "y"], "l": "B"}\n')
    assert [row.question for row in pool.load().questions] == ["3?", "1?", "2?"]


def test_how_many_rows_may_be_bad_is_no_identity_and_how_they_are_read_is(folder: Path) -> None:
    pool = load_recipe(folder / "r.yaml").pool
    assert load_recipe(folder / "r.yaml", sets=["pool.max_bad_rows=5"]).pool.identity() == pool.identity()
    assert load_recipe(folder / "r.yaml", sets=["pool.fields.id=l"]).pool.identity() != pool.identity()


WRONG = {
    "no choices": (["pool.fields={}"], "answers.reply: the file's questions have no choices to answer with a letter"),
    "a bad row": (["pool.fields.letter=question"], r"pool.file: .*3 of 3 rows are bad, 0 may be.*a.jsonl:1: no_such_"),
    "a slip in a field": (["pool.fields.letter=answer"], r"no row has the field 'answer' \(pool.fields.letter\)"),
    "a kind of another file": (["pool.kind=gsm8k", "pool.fields={}"], r"of 3 rows are bad.*no_answer: none in answer"),
    "an unknown kind": (["pool.kind=gsm9k"], r"pool.kind: unknown value, did you mean gsm8k\?"),
    "a place in no document": (["pool.rows=examples"], "pool.rows names a list within a JSON document"),
    "a split of no folder": (["pool.split=train"], "pool.split is for a folder"),
    "integers from high to low": (["pool.integers=[9, 1]"], "pool.integers: the first is larger than the second"),
    "an encoding": (["pool.encoding=utf-32"], "pool.encoding: is not allowed"),
    "levels that nobody has": (["pool.levels=[4]"], r"none of its 3 rows is a question: 3 no_level"),
    "a kind of no file": (["pool.file=null", "pool.per_topic=3", "pool.top_up=generator", "pool.fields={}",
                           "pool.kind=math"], "pool.kind: kind is for a file's rows"),
    "a fourth level": (["pool.file=null", "pool.per_topic=3", "pool.top_up=generator", "pool.fields={}",
                        "pool.levels=[4]"], "pool.levels: the generator has three levels"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_told_before_anything_runs(folder: Path, name: str) -> None:
    sets, message = WRONG[name]
    with pytest.raises(RecipeError, match=message):
        load_recipe(folder / "r.yaml", sets=sets)
