"""A self-guided loop from the command line: a whole night with a real trainer, looked at, run again, held to more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.flows.test_cli_night import chunks, nightschool

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

LOOP = "dpo.rounds={most: 2, at_least: -1}"
SETS = (
    "pool.per_topic=10", "dpo.questions=24", "dpo.epochs=2", "dpo.robust=drop", "dpo.drop_by=committee",
    "dpo.drop_share=0.3",
)  # fmt: skip


def night(folder: Path, loop: str) -> dict[str, Any]:
    sets = [part for one in (*SETS, loop) for part in ("--set", one)]
    nightschool(folder, "run", "smoke", *sets)
    return json.loads((folder / "runs" / "nights" / "smoke" / "report.json").read_text())


def test_a_loop_is_trained_round_by_round_and_never_paid_for_twice(tmp_path: Path) -> None:
    first = night(tmp_path, LOOP)
    made = chunks(first)
    assert [stage["name"] for stage in first["stages"]] == ["base", "sft", "dpo"]
    assert (made["pairs"][0], made["dpo"][0], made["rounds"][0]) == (2, 2, 4)
    assert [(row["stage"], row["fate"]) for row in first["rounds"]] == [
        ("sft", "start"), ("dpo-1", "passed"), ("dpo-2", "kept"),
    ]  # fmt: skip
    assert all(row["accuracy"]["n"] for row in first["rounds"])
    assert list(first["losses"]) == ["sft", "dpo-1", "dpo-2"]
    assert {row["stage"] for row in first["left_out"]} <= {"dpo-1", "dpo-2"}
    assert "Round by round" in (tmp_path / "runs" / "nights" / "smoke" / "report.html").read_text()
    table = nightschool(tmp_path, "status", "smoke", "--json").stdout
    assert {chunk["state"] for phase in json.loads(table)["phases"] for chunk in phase["chunks"]} == {"made"}

    again = night(tmp_path, LOOP)
    assert {name: counts for name, counts in chunks(again).items() if counts[0] != counts[1]} == {}
    assert again["requests"]["sent"] == 0
    assert again["rounds"] == first["rounds"]

    strict = night(tmp_path, "dpo.rounds={most: 2, at_least: 1.0}")
    assert [(row["stage"], row["fate"]) for row in strict["rounds"]] == [("sft", "kept"), ("dpo-1", "failed")]
    assert chunks(strict)["rounds"] == (3, 2), "only what is kept is another"
    assert chunks(strict)["dpo"] == (1, 1)
    accuracy = {stage["name"]: stage["accuracy"]["value"] for stage in strict["stages"]}
    assert accuracy["dpo"] == pytest.approx(accuracy["sft"], abs=0.1), "the start, asked under another name"
