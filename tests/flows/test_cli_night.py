"""The command line on a real night: run, run again, look, redo one chunk."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PHASES = [
    "school", "questions", "pool", "answers", "committee", "balance", "sft", "pairs", "dpo", "validate", "timing",
    "package",
]  # fmt: skip

SPRINT = """
name: sprint
files: {answers: {keys: [answer]}}
timing: {answers: {rows: 4, batch_size: 2, each_s: 60, mean_s: 60}}
"""

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("smoke")


def nightschool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(folder / "prefect"), "OMP_NUM_THREADS": "1"}
    env.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "flows.cli", *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=850, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


def chunks(report: dict) -> dict[str, tuple[int, int]]:
    """Chunks in all, and cached ones, of each phase that has any."""
    return {each["name"]: (each["chunks"], each["cached_chunks"]) for each in report["phases"] if each["chunks"]}


def starts_are_counted(run: dict) -> None:
    assert all(0 < one["lead_s"] < one["seconds"] for one in run["phases"] if one["name"] in ("sft", "dpo"))
    starts = {(one["phase"], one["engines"]) for one in run["starts"]}
    assert starts == {("questions", "scripted"), ("pairs", "transformers"), ("validate", "transformers")}


def test_a_night_from_its_first_run_to_one_chunk_redone(folder: Path) -> None:
    done = nightschool(folder, "run", "smoke", "--json")
    first = json.loads(done.stdout.splitlines()[-1])
    assert list(chunks(first)) == PHASES
    assert not any(cached for _, cached in chunks(first).values())
    assert first["requests"]["sent"] > 300
    assert [stage["name"] for stage in first["stages"]] == ["base", "sft", "dpo"]
    assert (folder / first["page"]).is_file()
    assert [line for line in done.stderr.splitlines() if line.startswith("answers") and "done in" in line]
    starts_are_counted(json.loads((folder / "runs/nights/smoke/run.json").read_text()))

    again = json.loads(nightschool(folder, "run", "smoke", "--json").stdout.splitlines()[-1])
    assert {name: counts for name, counts in chunks(again).items() if counts[0] != counts[1]} == {}
    assert again["requests"]["sent"] == 0
    assert again["stages"] == first["stages"]

    grid = json.loads(nightschool(folder, "status", "smoke", "--json").stdout)
    assert not grid["running"]
    assert [phase["phase"] for phase in grid["phases"] if phase["chunks"]] == PHASES
    assert {chunk["state"] for phase in grid["phases"] for chunk in phase["chunks"]} == {"made"}
    assert first["night"]["verdict"] in " ".join(nightschool(folder, "status").stdout.split())
    assert first["night"]["verdict"] in nightschool(folder, "report", "smoke").stdout
    assert json.loads(nightschool(folder, "report", "smoke", "--json").stdout)["samples"]

    (folder / "sprint.yaml").write_text(SPRINT)
    sets = ["--set", f"validate.contest={folder / 'sprint.yaml'}", "--set", "validate.timed=4"]
    raced = json.loads(nightschool(folder, "run", "smoke", "--name", "raced", "--json", *sets).stdout.splitlines()[-1])
    assert {name for name, (count, cached) in chunks(raced).items() if count > cached} == {"timing"}

    shutil.rmtree(folder / "prefect")  # its database is lost, and nothing with it
    left = nightschool(folder, "rerun", "smoke", "--phase", "committee", "--chunk", "0", "--json")
    assert "1 chunk of committee left alone: whole already (--fresh makes it anew)." in left.stderr
    assert chunks(json.loads(left.stdout.splitlines()[-1])) == chunks(again)

    redo = nightschool(folder, "rerun", "smoke", "--phase", "committee", "--chunk", "0", "--fresh", "--json")
    assert "1 chunk of committee will be made anew" in redo.stderr
    redone = chunks(json.loads(redo.stdout.splitlines()[-1]))
    assert redone["answers"] == chunks(again)["answers"]
    assert redone["committee"] == (1, 0)
    assert redone["dpo"] == (1, 1), "the same rulings lead to the same student"
