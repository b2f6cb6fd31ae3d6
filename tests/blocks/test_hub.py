"""Data of the hub: the library that brings it is real; the hub is on loopback, a folder, or out of reach."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from blocks.hub import bring
from nightschool.errors import RecipeError, WorldError
from nightschool.recipe.data_file import Hub
from nightschool.recipe.load import load_recipe
from nightschool.recipe.section import Clash
from tasks.recipes import read_recipe
from tests.blocks import hub_of_data
from tests.blocks.hub_of_data import hub_of

pytest.importorskip("datasets")

# As openai/gsm8k has it.
CARD = b"""---
configs:
- config_name: main
  data_files:
  - {split: train, path: main/train-*}
  - {split: test, path: main/test-*}
- config_name: socratic
  data_files:
  - {split: train, path: socratic/train-*}
---
# GSM8K
"""

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


def shard(split: str, rows: int) -> bytes:
    records = [{"question": f"{split} {n}?", "answer": f"so\n#### {n}"} for n in range(rows)]
    parquet.write_table(pyarrow.Table.from_pylist(records), file := io.BytesIO())
    return file.getvalue()


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hub_of_data.Hub]:
    files = {f"{name}-00000-of-00001.parquet": shard(name, 3) for name in ("main/train", "main/test", "socratic/train")}
    with hub_of("openai/gsm8k", {"README.md": CARD, **files}) as served:
        monkeypatch.delenv("HF_HUB_OFFLINE")
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served


def test_a_name_on_the_hub_is_downloaded_once_and_read(folder: Path, hub: hub_of_data.Hub) -> None:
    recipe = folder / "r.yaml"
    recipe.write_text(RECIPE.replace("HUB", "{hub: openai/gsm8k, config: main, split: test}"))
    pool = read_recipe(str(recipe)).pool
    assert [(row.question, row.answer) for row in pool.load().questions] == [(f"main/test {n}?", f"{n}") for n in "012"]
    brought = [asked for asked in hub.asked if asked.startswith("GET") and asked.endswith(".parquet")]
    assert len(brought) == len(set(brought)) == 2  # the library brings all splits of a config
    assert all(hub_of_data.COMMIT in asked for asked in brought)
    hub.asked.clear()
    assert read_recipe(str(recipe)).pool.load().questions == pool.load().questions
    assert not [asked for asked in hub.asked if asked.endswith(".parquet")]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{hub: openai/gsm8k, split: test}", r"several configs: name one in pool.file.config.* main, socratic"),
        ("{hub: openai/gsm8k, config: min}", r"no config min: name one in pool.file.config.* main, socratic"),
        ("{hub: openai/gsm8k, config: main}", r"several splits: name one in pool.file.split.* train, test"),
        ("{hub: openai/gsm8k, config: main, split: tset}", r"no split tset: .* train, test"),
    ],
)
def test_what_the_recipe_must_name_is_told_with_what_there_is(
    folder: Path, hub: hub_of_data.Hub, given: str, told: str
) -> None:
    (folder / "r.yaml").write_text(RECIPE.replace("HUB", given))
    with pytest.raises(RecipeError, match=told):
        read_recipe(str(folder / "r.yaml"))


def test_a_name_that_is_not_there_and_one_that_wants_a_token(folder: Path, hub: hub_of_data.Hub) -> None:
    with pytest.raises(WorldError, match="openai/gsm9k' doesn't exist on the Hub or cannot be accessed"):
        bring(Hub(hub="openai/gsm9k"))
    hub.token = "hf_of_somebody"
    with pytest.raises(WorldError, match="gated"):
        bring(Hub(hub="openai/gsm8k", config="main", split="test"))


def test_a_token_opens_a_gated_data_set(folder: Path, hub: hub_of_data.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.token = "hf_of_ours"
    monkeypatch.setenv("HF_TOKEN", "hf_of_ours")
    [path] = bring(Hub(hub="openai/gsm8k", config="socratic"))
    assert path.suffix == ".arrow"


def test_a_data_set_is_brought_and_read_like_any_file(folder: Path) -> None:
    recipe = folder / "r.yaml"
    recipe.write_text(RECIPE.replace("HUB", f"{{hub: {folder / 'data'}, split: test}}"))
    pool = read_recipe(str(recipe)).pool
    assert [row.answer for row in pool.load().questions] == ["0", "1"]
    with pytest.raises(RecipeError, match="is not brought here"):
        load_recipe(recipe)
    with pytest.raises(Clash, match="several splits"):
        bring(Hub(hub=str(folder / "data")))


def test_a_hub_out_of_reach_is_told_with_the_way_around_it(folder: Path) -> None:
    with pytest.raises(WorldError, match=r"openai/gsm8k could not be brought .* a folder that datasets saved"):
        bring(Hub(hub="openai/gsm8k", config="main"))


def test_a_slip_in_a_name_is_told_with_its_place(folder: Path) -> None:
    (folder / "r.yaml").write_text(RECIPE.replace("HUB", "{hub: openai/gsm8k, splits: test}"))
    with pytest.raises(RecipeError, match=r"pool.file: splits: Extra .*allowed: hub, config, split, revision"):
        read_recipe(str(folder / "r.yaml"))
