"""A night's first half on scripted teachers, small enough to run for every test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from prefect import flow

from flows.phase import run_phase
from nightschool.recipe.load import load_recipe
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.serving import teachers
from tasks.steps import STEPS

RECIPE = """
name: first-half
store: {store}
serve: {{engine: scripted, attempts: 3}}
teachers:
  - {{name: alba, model: alba, script: {alba}}}
  - {{name: bruno, model: bruno, script: {{models: {{bruno: {{accuracy: 0.8}}}}}}}}
student: {{name: student, model: unused, engine: transformers, prompt: answers.txt}}
questions: {{prompt: questions.txt, per_topic: 2, chunk_rows: 4}}
pool: {{per_topic: 4, top_up: generator}}
answers: {{prompt: answers.txt, chunk_rows: 8}}
sft: {{learning_rate: 1.0e-3}}
validate: {{per_topic: 2}}
"""

GOOD = "{models: {alba: {accuracy: 0.9}}}"

Make = Callable[..., Night]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A night in this test's own store, its prompt files beside the recipe, ready to be changed."""
    (tmp_path / "questions.txt").write_text("[user]\nWrite on $topic with $hint.\n", encoding="utf-8")
    (tmp_path / "answers.txt").write_text("[user]\n$question\n$choices\n", encoding="utf-8")

    def plan(*sets: str, alba: str = GOOD, name: str | None = None) -> Night:
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(RECIPE.format(store=tmp_path / "runs", alba=alba), encoding="utf-8")
        return Night.plan(load_recipe(recipe, sets=sets), name)

    return plan


def teach(night: Night, *phases: str) -> Ledger:
    """Runs the named phases of a night (all that need no student by default); the ledger says what it took."""
    night.begin()
    ledger = Ledger(night.dir)

    @flow(name="first half")
    def first_half() -> None:
        with teachers(night, ledger) as served:
            for phase in phases or ("questions", "pool", "answers", "committee", "balance"):
                run_phase(night, ledger, STEPS[phase], served)

    first_half()
    return ledger
