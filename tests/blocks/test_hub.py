"""Data of the hub: the library that brings it is real; the hub is a folder, or out of reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.hub import bring
from nightschool.errors import RecipeError, WorldError
from nightschool.recipe.data_file import Hub
from nightschool.recipe.load import load_recipe
from tasks.recipes import read_recipe

pytest.importorskip("datasets")

RECIPE = """\
name: data
teachers: [{name: ann, model: /m/a}]
pool: {kind: gsm8k, file: HUB}
answers: {reply: text, prompt: p.txt, value: number}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    (tmp_path / "data").mkdir()
    for split, rows in (("train", 3), ("test", 2)):
        lines = (f'{{"question": "{split} {n}?", "answer": "so\\n#### {n}"}}\n' for n in range(rows))
        (tmp_path / "data" / f"{split}.jsonl").write_text("".join(lines))
    (tmp_path / "p.txt").write_text("[user]\n$question\n")
    return tmp_path


def test_a_data_set_is_brought_and_read_like_any_file(folder: Path) -> None:
    recipe = folder / "r.yaml"
    recipe.write_text(RECIPE.replace("HUB", f"{{hub: {folder / 'data'}, split: test}}"))
    pool = read_recipe(str(recipe)).pool
    assert [row.answer for row in pool.load().questions] == ["0", "1"]
    with pytest.raises(RecipeError, match="is not brought here"):
        load_recipe(recipe)
    with pytest.raises(WorldError, match="splits train, test"):
        bring(Hub(hub=str(folder / "data")))


def test_a_hub_out_of_reach_is_told_with_the_way_around_it(folder: Path) -> None:
    with pytest.raises(WorldError, match=r"openai/gsm8k could not be brought .* a folder that datasets saved"):
        bring(Hub(hub="openai/gsm8k", config="main"))


def test_a_slip_in_a_name_is_told_with_its_place(folder: Path) -> None:
    (folder / "r.yaml").write_text(RECIPE.replace("HUB", "{hub: openai/gsm8k, splits: test}"))
    with pytest.raises(RecipeError, match=r"pool.file: splits: Extra .*allowed: hub, config, split, revision"):
        read_recipe(str(folder / "r.yaml"))
