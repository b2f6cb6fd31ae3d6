"""Nights that only make data: their recipe, their keys, and the file that they are bound to."""

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.lineage import lineage
from nightschool.recipe.load import dump_recipe, find_recipe, load_recipe
from tests.nightschool.bad_recipe import message_of

RECIPE = """\
name: data
teachers: [{name: ann, model: /m/a}]
pool: {file: q.jsonl, fields: {question: problem}}
answers: {reply: text, prompt: p.txt, samples: 2}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "p.txt").write_text("[user]\nSolve: $question\n")
    (tmp_path / "q.jsonl").write_text('{"problem": "1+1"}\n{"problem": "1+2"}\n')
    (tmp_path / "r.yaml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keys(path: Path, *sets: str) -> dict[str, str]:
    return lineage(load_recipe(path, sets=sets), {"ann": "vllm"})


def test_a_night_of_data_has_only_its_phases(folder: Path) -> None:
    assert set(keys(folder / "r.yaml")) == {"pool", "answers/ann", "merge"}


def test_the_files_content_is_identity_and_its_place_is_not(folder: Path) -> None:
    before = keys(folder / "r.yaml")
    (folder / "moved.jsonl").write_bytes((folder / "q.jsonl").read_bytes())
    assert keys(folder / "r.yaml", "pool.file=moved.jsonl") == before
    (folder / "q.jsonl").write_text('{"problem": "1+1"}\n')
    assert not set(keys(folder / "r.yaml").values()) & set(before.values())


def test_a_night_on_file_keeps_the_digest_that_it_began_with(folder: Path) -> None:
    begun = load_recipe(folder / "r.yaml")
    (folder / "again.yaml").write_text(dump_recipe(begun))
    (folder / "q.jsonl").write_text('{"problem": "1+1"}\n')
    assert load_recipe(folder / "again.yaml") == begun


def test_a_file_may_lie_in_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "here").mkdir()
    (folder / "here" / "mine.jsonl").write_text('{"problem": "1+1"}\n')
    monkeypatch.chdir(folder / "here")
    recipe = load_recipe(folder / "r.yaml", sets=["pool.file=mine.jsonl"])
    assert recipe.pool.asked == 1


BAD = {
    "letters of a file": (("reply: text, ", ""), "answers.prompt: the prompt lacks $choices"),
    "writers beside a file": (("answers:", "questions: {prompt: p.txt, per_topic: 2}\nanswers:"), "questions"),
    "topped up": (("{file: q.jsonl,", "{file: q.jsonl, top_up: generator,"), "pool.top_up: a file is not topped up"),
    "no committee to gate": (
        ("answers:", "gates: [{name: g, metric: vote_gain, at_least: 0}]\nanswers:"),
        "gates.0: gate g is about a committee, and there is none",
    ),
    "no student to gate": (
        ("answers:", "gates: [{name: g, metric: accuracy, stage: sft, at_least: 0}]\nanswers:"),
        "gates.0: gate g is about a student, and there is none",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_go_together(folder: Path, name: str) -> None:
    (old, new), message = BAD[name]
    assert old in RECIPE
    assert message in message_of(RECIPE.replace(old, new, 1))


def test_plan_004_is_a_recipe() -> None:
    recipe = load_recipe(find_recipe("critique"))
    assert (recipe.answers.samples, recipe.answers.chunk_rows, len(recipe.teachers)) == (8, 1000, 2)


def test_how_an_answer_is_read_renames_the_merge_and_asks_nobody_anew(folder: Path) -> None:
    before = keys(folder / "r.yaml")
    for sets in (["answers.value=latex"], ["answers.value=integer", "answers.fallback=last_number"]):
        after = keys(folder / "r.yaml", *sets)
        assert {place for place in before if before[place] != after[place]} == {"merge"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("answers.fallback=last_number", "only a number can stand in"),
        ("answers.value=roman", "none"),
    ],
)
def test_values_that_can_not_be_read_are_refused(folder: Path, change: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        load_recipe(folder / "r.yaml", sets=[change])


def test_a_reply_by_letter_has_no_value() -> None:
    with pytest.raises(RecipeError, match="no value to look for"):
        load_recipe(find_recipe("smoke"), sets=["answers.value=letter"])
