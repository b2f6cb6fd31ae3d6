"""Exports of a real store: every format as its own program has it, whole or not there, nothing overwritten."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from nightschool.errors import RecipeError, WorldError
from nightschool.exports.cells import guarded
from nightschool.exports.manifest import ExportManifest
from nightschool.records import Ruling
from tasks import committee
from tasks.export import Order, export
from tasks.night import Night
from tests import file_night


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return file_night.ruled(file_night.write(tmp_path_factory.mktemp("night")))


def exported(night: Night, to: Path, order: Order, **how: Any) -> tuple[Path, ExportManifest]:
    found = export(night, order, to / order.format, **how)
    return to / order.format, found


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_of_choices_is_ruled_on_by_its_own_truth(night: Night) -> None:
    rulings = night.rows(committee.chunks(night), Ruling)
    assert len(rulings) > 18
    assert {row.by for row in rulings} == {"truth"}
    assert all(row.answer == row.question.truth for row in rulings)
    assert {len(row.question.choices) for row in rulings} == {2, 3, 4, 5}


def test_verl_has_plain_content_and_one_schema_for_all_rows(night: Night, tmp_path: Path) -> None:
    folder, found = exported(night, tmp_path, Order("verl", data_source="mine"))
    table = pq.read_table(folder / "train.parquet")
    row = table.to_pylist()[0]
    assert row["prompt"] == [
        {"role": "system", "content": "Choose."},
        {
            "role": "user",
            "content": row["extra_info"]["question"] + "\n" + row["prompt"][1]["content"].partition("\n")[2],
        },
    ]
    assert (row["data_source"], row["ability"]) == ("mine", "choice")
    assert row["reward_model"] == {"style": "rule", "ground_truth": row["extra_info"]["answer"]}
    assert [each["extra_info"]["index"] for each in table.to_pylist()] == list(range(table.num_rows))
    assert {each["extra_info"]["level"] for each in table.to_pylist()} == {"1", "2", None}
    assert found.rows == {"train.parquet": table.num_rows}
    pool, _ = exported(night, tmp_path / "pool", Order("verl", phase="pool"))
    asked = pq.read_table(pool / "train.parquet")
    assert asked.schema == table.schema
    assert asked.num_rows == 24
    assert set(asked["extra_info"].to_pylist()[0]) == set(row["extra_info"])


def test_trl_chatml_and_sharegpt_hold_the_same_conversation(night: Night, tmp_path: Path) -> None:
    trl, chatml, sharegpt = (
        lines(exported(night, tmp_path, Order(name))[0] / "train.jsonl") for name in ("trl", "chatml", "sharegpt")
    )
    for one, two, three in zip(trl, chatml, sharegpt, strict=True):
        assert set(one) == {"prompt", "completion"}
        assert two["messages"] == one["prompt"] + one["completion"]
        assert [(turn["from"], turn["value"]) for turn in three["conversations"]] == [
            ({"system": "system", "user": "human", "assistant": "gpt"}[turn["role"]], turn["content"])
            for turn in two["messages"]
        ]
        assert set(json.loads(one["completion"][0]["content"])) == {"reasoning", "answer"}


def test_a_table_for_kaggle_has_the_files_own_ids_and_runs_nothing(night: Night, tmp_path: Path) -> None:
    folder, _ = exported(night, tmp_path, Order("csv", phase="pool"))
    with (folder / "train.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[:4] == [["id", "answer"], ["k0", "A"], ["k1", "B"], ["'=k2", "A"]]


@pytest.mark.parametrize("text", ["=1+1", "+x", "-\\frac12", "@SUM(A1)", "\tx", "-1-1"])
def test_what_a_spreadsheet_would_run_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "+3.25", "-1e9", "12", "B", "x=1", ""])
def test_numbers_and_words_are_left_as_they_are(text: str) -> None:
    assert guarded(text) == text


def test_datasets_load_what_was_written_without_them(night: Night, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder, found = exported(night, tmp_path, Order("datasets"))
    flat = lines(exported(night, tmp_path, Order("jsonl"))[0] / "train.jsonl")
    loaded = datasets.load_from_disk(str(folder / "train"))
    assert loaded.to_list() == flat
    assert found.rows == {"train": len(flat)}
    loaded.select(range(3)).save_to_disk(tmp_path / "again")


def test_pairs_are_for_trl_and_for_nobody_else(night: Night, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="pairs of night choosing is not whole yet"):
        exported(night, tmp_path, Order("trl", phase="pairs"))
    for chunk in file_night.STEPS["sft"].chunks(night):
        night.store.commit(chunk, rows=(), dropped=(), figures={})
    file_night.paired(night)
    rows = lines(exported(night, tmp_path, Order("trl", phase="pairs"))[0] / "preferences.jsonl")
    assert rows[0]["chosen"] == [{"role": "assistant", "content": "right"}]
    with pytest.raises(RecipeError, match=r"--format: pairs are two replies.*allowed: trl, jsonl, datasets"):
        exported(night, tmp_path, Order("verl", phase="pairs"))


def test_nothing_is_overwritten_unless_it_is_an_export_and_meant(night: Night, tmp_path: Path) -> None:
    folder, first = exported(night, tmp_path, Order("jsonl"))
    with pytest.raises(RecipeError, match=r"--to: is there already .*allowed: --force"):
        exported(night, tmp_path, Order("jsonl"))
    (folder / "train.jsonl").write_text("spoilt")
    assert exported(night, tmp_path, Order("jsonl"), force=True)[1] == first
    assert ExportManifest.model_validate_json((folder / "manifest.json").read_bytes()).files == first.files
    (tmp_path / "trl").mkdir()
    (tmp_path / "trl" / "thesis.txt").write_text("mine")
    with pytest.raises(RecipeError, match="this one is no export"):
        exported(night, tmp_path, Order("trl"), force=True)
    assert (tmp_path / "trl" / "thesis.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_export_that_can_not_be_written_leaves_nothing(night: Night, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorldError, match="the export cannot be written"):
        export(night, Order("jsonl"), tmp_path / "file" / "jsonl")


WRONG: dict[str, tuple[Order, str]] = {
    "a phase that makes models": (Order("trl", phase="sft"), "--phase: no such phase, or none to export"),
    "questions that nobody answered": (
        Order("trl", phase="pool"),
        r"--format: pool has no row .*24: a row without a text",
    ),
    "a side without rows": (Order("trl", sides=("test",)), "--format: committee has no row for this format"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_not_be_exported_is_said_by_its_option(night: Night, tmp_path: Path, name: str) -> None:
    order, message = WRONG[name]
    with pytest.raises(RecipeError, match=message):
        exported(night, tmp_path, order)
    assert not any(tmp_path.iterdir())


def test_a_canary_is_kept_out_of_training(tmp_path: Path) -> None:
    recipe = file_night.write(tmp_path)
    text = (tmp_path / "q.jsonl").read_text()
    (tmp_path / "q.jsonl").write_text(text.replace('"key"', '"canary": "canary GUID 26b5c67b", "key"', 1))
    with pytest.raises(RecipeError, match="never to be learnt from"):
        file_night.ruled(recipe)
    night = file_night.ruled(recipe, "student=null", "sft=null", "pairs=null", "dpo=null", "validate=null")
    with pytest.raises(RecipeError, match=r"its canary.*allowed: csv, or --side"):
        exported(night, tmp_path, Order("verl"))
    assert exported(night, tmp_path, Order("csv"))[1].rows["train.csv"] > 18


def test_a_text_night_hands_over_whole_solutions(tmp_path: Path) -> None:
    recipe = file_night.write_solutions(tmp_path)
    night = file_night.solved(recipe)
    rows = pq.read_table(exported(night, tmp_path, Order("verl"))[0] / "train.parquet").to_pylist()
    assert len(rows) > 8
    assert {row["ability"] for row in rows} == {"math"}
    assert all(f"\\boxed{{{row['reward_model']['ground_truth']}}}" in row["extra_info"]["solution"] for row in rows)
    chats = lines(exported(night, tmp_path, Order("chatml"))[0] / "train.jsonl")
    assert [chat["messages"][-1]["content"] for chat in chats] == [row["extra_info"]["solution"] for row in rows]


def test_rows_are_those_that_balance_left_and_weights_are_not_lost_in_silence(tmp_path: Path) -> None:
    recipe = file_night.write(tmp_path, rows=23)
    night = file_night.ruled(recipe, "balance.by=[answer]", "balance.method=weights", "student=null", "sft=null",
                             "pairs=null", "dpo=null", "validate=null")  # fmt: skip
    with pytest.raises(WorldError, match="balance of night choosing is not whole yet"):
        exported(night, tmp_path, Order("jsonl"))
    file_night.make(night, {}, "balance")
    folder, found = exported(night, tmp_path, Order("jsonl"))
    weights = [row["weight"] for row in lines(folder / "train.jsonl")]
    assert found.phase == "balance"
    assert len(set(weights)) == 2
    told = exported(night, tmp_path, Order("trl"))[1].left_out
    assert told == {"the weight of a row": sum(weight != 1 for weight in weights)}
    assert exported(night, tmp_path, Order("csv", phase="committee"))[1].phase == "committee"


def test_a_table_has_the_files_own_letters_after_a_shuffle(tmp_path: Path) -> None:
    recipe = file_night.write(tmp_path)
    night = file_night.ruled(recipe, "balance.shuffle_letters=true", "balance.by=[topic]")
    file_night.make(night, {}, "balance")
    with (exported(night, tmp_path, Order("csv"))[0] / "train.csv").open(newline="") as file:
        answers = {row["id"]: row["answer"] for row in csv.DictReader(file)}
    rows = lines(exported(night, tmp_path, Order("jsonl"))[0] / "train.jsonl")
    assert any(row["answer"] != answers[row["name"]] for row in rows if row["name"] in answers)
    assert all(answers[f"k{n}"] == "AB"[n % 2] for n in range(24) if f"k{n}" in answers)


def test_every_side_has_a_file_and_a_held_out_question_is_on_its_side_in_any_phase(tmp_path: Path) -> None:
    recipe = file_night.write(tmp_path, rows=60)
    night = file_night.ruled(recipe, "splits={validation: 0.2, test: 0.2, leaks: report}")
    file_night.make(night, {}, "splits")
    folder, found = exported(night, tmp_path, Order("jsonl"))
    assert found.phase == "splits"
    assert set(found.rows) == {"train.jsonl", "validation.jsonl", "test.jsonl"}
    asked, _ = exported(night, tmp_path / "pool", Order("jsonl", phase="pool"))
    for side in ("train", "validation", "test"):
        taught = {row["id"] for row in lines(folder / f"{side}.jsonl")}
        assert taught
        assert taught <= {row["id"] for row in lines(asked / f"{side}.jsonl")}
    only = exported(night, tmp_path / "only", Order("jsonl", sides=("test",)))[1]
    assert only.rows == {"test.jsonl": found.rows["test.jsonl"]}
