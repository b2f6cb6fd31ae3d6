"""Jobs and rows are refused or read before torch is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import DataError, WorldError
from nightschool.training.job import check_adapter, check_model, load_job
from nightschool.training.output import check_output, new_directory
from nightschool.training.rows import check_weights, read_rows

USER = {"role": "user", "content": "2 + 2?"}
FOUR = {"role": "assistant", "content": "4"}
FIVE = {"role": "assistant", "content": "5"}
SFT = {"id": "s1", "prompt": [USER], "completion": [FOUR]}
DPO = {"id": "d1", "prompt": [USER], "chosen": [FOUR], "rejected": [FIVE]}


def write_job(folder: Path, **fields: Any) -> Path:
    job = {
        "stage": "sft",
        "name": "tiny",
        "model": "base",
        "rows": str(folder / "rows.jsonl"),
        "output": str(folder / "out"),
        "learning_rate": 1e-3,
        "lora": {"r": 4, "alpha": 8},
    }
    path = folder / "job.json"
    path.write_text(json.dumps({**job, **fields}))
    return path


def write_rows(path: Path, *rows: Any) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"stage": "ppo"}, "stage"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"batch_size": 0}, "batch_size"),
        ({"bathc_size": 4}, "bathc_size"),
        ({"lora": {"r": 0}}, "lora.r"),
        ({"beta": 0}, "beta"),
        ({"warmup_share": 1.0}, "warmup_share"),
        ({"rows": 3}, "rows"),
    ],
)
def test_job_fault_names_file_and_field(tmp_path: Path, fields: dict[str, Any], named: str) -> None:
    path = write_job(tmp_path, **fields)
    with pytest.raises(DataError) as caught:
        load_job(path)
    assert str(path) in str(caught.value)
    assert f"{named}: " in str(caught.value)


def test_job_keeps_what_it_was_given(tmp_path: Path) -> None:
    job = load_job(write_job(tmp_path, stage="dpo", beta=0.05, adapter="there", lora=None))
    assert (job.stage, job.beta, job.adapter, job.lora) == ("dpo", 0.05, "there", None)


def test_missing_job_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json"):
        load_job(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("stage", "rows", "line", "says"),
    [
        ("sft", [SFT, "{"], 2, "JSON"),
        ("sft", [SFT, ""], 2, "JSON"),
        ("sft", [{"id": "s1", "prompt": [USER]}], 1, "completion"),
        ("sft", [SFT, SFT, {**SFT, "wight": 2}], 3, "wight"),
        ("sft", [{**SFT, "prompt": []}], 1, "prompt"),
        ("sft", [{**SFT, "completion": [{"role": "assistant", "content": " "}]}], 1, "says something"),
        ("sft", [{**SFT, "completion": [FOUR, USER]}], 1, "turn of the assistant"),
        ("sft", [{**SFT, "prompt": [USER, FOUR]}], 1, "prompt must end with"),
        ("sft", [DPO], 1, "completion"),
        ("dpo", [DPO, SFT], 2, "chosen"),
        ("dpo", [{**DPO, "rejected": [FOUR]}], 1, "the same"),
    ],
)
def test_bad_row_is_named_with_its_line(tmp_path: Path, stage: Any, rows: list[Any], line: int, says: str) -> None:
    path = write_rows(tmp_path / "rows.jsonl", *rows)
    with pytest.raises(DataError) as caught:
        read_rows(path, stage)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert says in str(caught.value)


def test_empty_and_missing_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"empty\.jsonl: no rows"):
        read_rows(write_rows(tmp_path / "empty.jsonl"), "sft")
    with pytest.raises(DataError, match=r"none\.jsonl"):
        read_rows(tmp_path / "none.jsonl", "sft")


def test_a_loss_that_counts_all_pairs_alike_is_given_none_of_another_weight(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", DPO, {**DPO, "id": "d2", "weight": 0.5})
    rows = read_rows(path, "dpo")
    check_weights(load_job(write_job(tmp_path, stage="dpo")), rows)
    with pytest.raises(DataError, match=r"rows\.jsonl:2: row d2: weight is 0\.5, and ipo, sft counts all pairs alike"):
        check_weights(load_job(write_job(tmp_path, stage="dpo", loss=["ipo", "sft"])), rows)


def test_rows_keep_file_order_and_endings(tmp_path: Path) -> None:
    rows = read_rows(
        write_rows(tmp_path / "r.jsonl", DPO, {**DPO, "id": "d2", "chosen": [FIVE], "rejected": [FOUR]}), "dpo"
    )
    assert [row.id for row in rows] == ["d1", "d2"]
    assert [turns[0].content for turns in rows[1].endings] == ["5", "4"]


@pytest.mark.parametrize(
    ("found", "says"),
    [(None, "no adapter"), ('{"r": 8, "lora_alpha": 8}', "r=8"), ('{"r": 4, "lora_alpha": 4}', "alpha=4")],
)
def test_adapter_must_be_the_one_described(tmp_path: Path, found: str | None, says: str) -> None:
    if found:
        (tmp_path / "adapter_config.json").write_text(found)
    with pytest.raises(DataError, match=says):
        check_adapter(load_job(write_job(tmp_path, adapter=str(tmp_path))))


def test_model_named_by_a_path_must_be_there(tmp_path: Path) -> None:
    for path in (str(tmp_path), str(tmp_path / "none"), "./none"):
        with pytest.raises(DataError, match="no model here"):
            check_model(load_job(write_job(tmp_path, model=path)))
    (tmp_path / "config.json").write_text("{}")
    for name in (str(tmp_path), "owner/name"):
        check_model(load_job(write_job(tmp_path, model=name)))


def test_output_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"

    def half() -> None:
        with new_directory(out) as folder:
            (folder / "half").write_text("x")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert list(out.parent.iterdir()) == []
    with new_directory(out) as folder:
        (folder / "whole").write_text("x")
        assert not out.exists()
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    with pytest.raises(DataError, match="already"):
        check_output(out)


def test_leftover_of_a_killed_process_is_swept_and_a_living_one_kept(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".out.partial-{gone.pid}").mkdir()
    (tmp_path / ".out.partial-1").mkdir()
    with new_directory(tmp_path / "out"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.partial-1", "out"]


def test_output_that_cannot_be_made_is_the_world(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorldError, match="cannot be made"), new_directory(tmp_path / "file" / "out"):
        pass


def test_bad_rows_end_the_process_before_torch_is_imported(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", SFT, "[]")
    command = [sys.executable, "-X", "importtime", "-m", "nightschool.training", str(write_job(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(f"{rows}:2: ")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")}
    assert "nightschool.training.rows" in imported
    assert not imported & {"torch", "transformers", "trl", "peft", "datasets"}
