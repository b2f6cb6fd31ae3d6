"""A night's first half on scripted teachers, small enough to run for every test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nightschool.recipe.load import load_recipe
from tasks.night import Night

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


def maker(folder: Path) -> Make:
    """Plans nights of this recipe in a store of the folder's own; its prompt files are there to be changed."""
    (folder / "questions.txt").write_text("[user]\nWrite on $topic with $hint.\n", encoding="utf-8")
    (folder / "answers.txt").write_text("[user]\n$question\n$choices\n", encoding="utf-8")

    def plan(*sets: str, alba: str = GOOD, name: str | None = None) -> Night:
        recipe = folder / "recipe.yaml"
        recipe.write_text(RECIPE.format(store=folder / "runs", alba=alba), encoding="utf-8")
        return Night.plan(load_recipe(recipe, sets=sets), name)

    return plan
