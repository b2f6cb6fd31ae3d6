"""The five plans' nights, whole: `--profile tiny` on a handful of rows, each with every phase, to its report.

Teachers are scripted, the student is served and trained: a few steps of each stage, in processes of their own. The five
share a store, so the school's models are made once for those that have the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from nightschool.forecast import forecast
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.report.figures import Report

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("prefect_harness"),
]


def scripted(*names: str) -> str:
    """Teachers that are right nine times of ten."""
    each = ({"name": name, "model": name, "engine": "scripted", "script": {"models": {name: {"accuracy": 0.9}}}}
            for name in names)  # fmt: skip
    return f"teachers={orjson.dumps([*each]).decode()}"


LETTERS = (
    "school.scale=0.02", "questions.per_topic=2", "pool.per_topic=6", "validate.per_topic=4", "validate.seeds=[0]",
    "validate.timed=2", "arena.per_topic=2",
)  # fmt: skip
SMALL: dict[str, tuple[str, ...]] = {
    "aaipl": (
        *LETTERS, scripted("gpt-oss"), "sft.0.epochs=0.1", "sft.1.epochs=0.1", "dpo.epochs=0.1", "pairs.samples=4",
        "arena.players=[base, {name: night-rl, writes: asker, answers: solver-rl}, gpt-oss]",
        "gates=[{name: rl-is-right, metric: accuracy, stage: solver-rl, at_least: 0.78}]",
    ),
    "committee": (
        *LETTERS, scripted("phi4", "qwen3", "nemo"), "sft.epochs=0.2",
        "arena.players=[base, {name: night, writes: both, answers: both}, phi4]",
    ),
    "strategyqa": (
        "sft.0.epochs=6", "sft.0.batch_size=4", "sft.1.epochs=6", "sft.1.batch_size=4", "sft.1.form=answer",
        "dpo.batch_size=4", "ablate.attribution.questions=2", "validate.timed=2", "validate.limit=6",
    ),
    "aimo": ("answers.samples=2", "validate.timed=2", "validate.limit=3", "predict.questions.limit=2"),
    "critique": (
        "pool.limit=16", "answers.samples=4", "critique.per_question=2", "validate.timed=2", "validate.limit=3",
    ),
}  # fmt: skip
CONTESTS = ("aaipl", "committee")


@dataclass(frozen=True, slots=True)
class Whole:
    """A night that ran to its end."""

    recipe: Recipe
    report: Report
    folder: Path
    returncode: int
    sets: Sequence[str]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all five lie; and a contest of four requests for its hundred."""
    folder = tmp_path_factory.mktemp("five")
    rules = (ROOT / "configs/contests/aaipl.yaml").read_text(encoding="utf-8")
    (folder / "contest.yaml").write_text(rules.replace("rows: 100", "rows: 4"), encoding="utf-8")
    return folder


def ran(plan: str, shared: Path) -> Whole:
    """The night, by the command line, against the tests' own Prefect."""
    from prefect.settings import PREFECT_API_URL

    sets = [*SMALL[plan], f"store={shared / 'runs'}"]
    sets += [f"validate.contest={shared / 'contest.yaml'}"] if plan in CONTESTS else []
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": PREFECT_API_URL.value() or "",
           "PREFECT_HOME": str(shared / "prefect"), "PREFECT_LOGGING_TO_API_ENABLED": "false"}  # fmt: skip
    command = [sys.executable, "-m", "flows.cli", "run", plan, "--profile", "tiny"]
    command += [part for one in sets for part in ("--set", one)]
    done = subprocess.run(command, cwd=shared, env=env, capture_output=True, text=True, timeout=850, check=False)
    assert done.returncode in (0, 1), f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    folder = shared / "runs" / "nights" / plan
    report = Report.model_validate_json((folder / "report.json").read_bytes())
    return Whole(load_recipe(find_recipe(plan), profile="tiny", sets=sets), report, folder, done.returncode, sets)


@pytest.mark.parametrize("plan", SMALL)
def test_a_plans_night_runs_whole(plan: str, shared: Path) -> None:
    one = ran(plan, shared)
    report, recipe = one.report, one.recipe
    made = {phase.name: phase for phase in report.phases}
    assert {ahead.phase for ahead in forecast(recipe)} <= made.keys()
    assert all(phase.chunks or phase.name == "serve" for phase in report.phases)
    assert not any(phase.failed_chunks or phase.failed_rows for phase in report.phases)
    assert "<html" in (one.folder / "report.html").read_text(encoding="utf-8")

    broken = [gate for gate in report.gates if gate.passed is not True and gate.on_failure == "fail"]
    assert one.returncode == bool(broken)
    assert report.night.outcome == ("failed" if broken else "passed")
    assert {gate.name for gate in report.gates} == {gate.name for gate in recipe.gates}
    assert all(gate.value is not None for gate in report.gates), [gate for gate in report.gates if gate.value is None]

    assert recipe.learner is not None
    assert [stage.name for stage in report.stages] == list(recipe.learner.measured)
    assert all(stage.accuracy is not None for stage in report.stages)
    assert report.losses.keys() == {stage.name for stage in recipe.learner.stages}
    assert report.requests.sent > 0
    assert bool(report.arena) == bool(recipe.arena)
    assert bool(report.ensemble) == bool(recipe.predict)
    assert bool(report.critiques) == bool(recipe.critique)
    assert bool(report.ablations) == bool(recipe.ablate)
    assert len(report.packages) == len(recipe.package.names(recipe.learner.stages) if recipe.package else ())
    known_again(plan, one)


def known_again(plan: str, one: Whole) -> None:
    """Planned once more it is all there, and its store has measured what the plan only claimed."""
    command = ["plan", plan, "--profile", "tiny", "--json", *(part for each in one.sets for part in ("--set", each))]
    told = orjson.loads(CliRunner().invoke(app, command).stdout)
    assert {phase["verdict"]["word"] for phase in told["phases"]} == {"reuse"}
    measured = {claim["about"]: claim["measured_s"] for claim in told["claims"] if claim["phases"]}
    assert all(seconds > 0 for seconds in measured.values()), measured
