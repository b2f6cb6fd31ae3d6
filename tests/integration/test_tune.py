"""A search killed in its midst goes on: finished trials are left alone, and data is made once for all of them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blocks.store import Store

ROOT = Path(__file__).parents[2]
SEARCH = "fields: {sft.learning_rate: [1.0e-3, 3.0e-3]}\ntrials: 3\nsampler: random\n"
SETS = ("pairs=null", "dpo=null", "gates=[]", "questions.per_topic=2", "pool.per_topic=8", "validate.per_topic=4")
_PATIENCE_S = 420


def command(folder: Path) -> list[str]:
    sets = [part for each in (*SETS, f"store={folder / 'runs'}") for part in ("--set", each)]
    return [sys.executable, "-m", "flows.cli", "tune", "smoke", "--tune", str(folder / "two.yaml"), "--json", *sets]


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_search_goes_on(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(SEARCH)
    first = tmp_path / "runs" / "nights" / "smoke-tune.000" / "report.json"
    second = tmp_path / "runs" / "nights" / "smoke-tune.001" / "night.json"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command(tmp_path), cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    until = time.monotonic() + _PATIENCE_S
    folder = tmp_path / "runs" / "tune" / "smoke-tune"
    while not (second.is_file() or ((folder / "tune.json").is_file() and _ended(folder) > 1)):
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < until
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    written, ended = first.stat().st_mtime_ns, _ended(folder)
    assert ended < 3

    done = subprocess.run(command(tmp_path), cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE_S)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [trial["state"] for trial in found["trials"]] == ["complete"] * 3
    assert len({trial["values"]["sft.learning_rate"] for trial in found["trials"]}) == 2
    assert first.stat().st_mtime_ns == written  # a finished trial's night is not touched
    keys = {phase: len(list((tmp_path / "runs" / phase).iterdir())) for phase in ("answers", "balance", "sft")}
    assert keys == {"answers": 3, "balance": 1, "sft": 2}  # three teachers; two rates
    assert "learning_rate" in Path(found["profile"]).read_text()
    assert Store(tmp_path / "runs").nights()


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_trial_whose_loss_explodes_fails_with_its_rows_and_the_search_goes_on(tmp_path: Path) -> None:
    search = "fields: {sft.learning_rate: [1.0e-3, 0.9]}\ntrials: 2\nsampler: grid\n"
    (tmp_path / "two.yaml").write_text(search)
    sets = ("sft.batch_size=1", "sft.epochs=2", "sft.explode_ratio=2", "sft.max_grad_norm=1e9")
    more = [part for each in sets for part in ("--set", each)]
    done = subprocess.run([*command(tmp_path), *more], cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE_S)
    assert done.returncode == 0, done.stderr
    trials = {trial["values"]["sft.learning_rate"]: trial for trial in json.loads(done.stdout)["trials"]}
    assert trials[1e-3]["state"] == "complete"
    assert trials[0.9]["state"] == "failed"
    why = trials[0.9]["why"]
    assert any(ends in why for ends in ("loss explodes", "loss is", "gradient norm is")), why
    assert re.search(r"at step \d+, made of rows \w+ \(line \d+\)", why), why


def _ended(folder: Path) -> int:
    return sum(trial["state"] != "running" for trial in json.loads((folder / "tune.json").read_text())["trials"])
