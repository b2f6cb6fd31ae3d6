"""A dry run from the command line: every phase, and nothing in the store that the recipe names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nightschool.forecast import forecast
from nightschool.recipe.load import find_recipe, load_recipe

ROOT = Path(__file__).parents[2]
# Each plan's own phases run in test_five_nights.py; a dry run of letters in matches, and of boxes in an ensemble.
PLANS = ("aaipl", "aimo")
# Who learns in a dry run is a tiny model, made first.
SCHOOL = {"school"}

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("plan", PLANS)
def test_a_dry_run_walks_every_phase_of_a_plan_in_a_store_of_its_own(plan: str, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(tmp_path / "prefect"), "TMPDIR": str(tmp_path)}
    env.pop("PREFECT_API_URL", None)
    store = tmp_path / "runs"
    command = [sys.executable, "-m", "flows.cli", "run", plan, "--dry-run", "--json", "--set", f"store={store}"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told["phases"]) == {ahead.phase for ahead in forecast(load_recipe(find_recipe(plan)))} | SCHOOL
    assert told["requests"] > 0
    assert Path(told["page"]).is_file()
    assert Path(told["folder"]).parent == tmp_path
    assert not store.exists()
