"""The night that is harmed: one teacher solves problems in free text, 64 in flight, 50 ms each, four chunks at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson

from benchmarks.word_problems import word_problems
from flows.drill.drill import Outcome, small
from flows.drill.place import Place
from nightschool.recipe.load import load_recipe

HEAD = f"{'harm':<34} {'at':>5} {'sent':>6} {'twice':>5} {'lost':>5} {'s':>5}  verdict"
_RECIPE = """
name: drill
store: runs
teachers: [{{name: ada, model: ada, engine: scripted}}]
pool: {{file: {file}, fields: {{question: problem}}}}
answers:
  reply: text
  prompt: {prompt}
"""
_IN_FLIGHT = 64
_CHUNK_ROWS = 250


def drill_night(folder: Path, rows: int) -> Place:
    """A place for a night of so many rows, that nobody has disturbed yet."""
    problems, prompt, recipe = folder / "problems.jsonl", folder / "prompt.txt", folder / "recipe.yaml"
    problems.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in word_problems(rows)))
    prompt.write_text("[system]\nYou reason step by step.\n[user]\n$question\n")
    recipe.write_text(_RECIPE.format(file=problems, prompt=prompt))
    place = small(load_recipe(recipe), folder / "undisturbed", rows=rows, delay_s=0.05, concurrency=_IN_FLIGHT)
    answers = place.recipe.answers.model_copy(update={"chunk_rows": _CHUNK_ROWS, "chunks_in_flight": 4})
    return replace(place, recipe=place.recipe.model_copy(update={"answers": answers}))


def tell(outcome: Outcome, at: float) -> bool:
    """Print a trial under `HEAD`; whether it was clean."""
    print(
        f"{outcome.scene:<34} {at:>5.0%} {outcome.sent:>6} {outcome.paid_twice:>5} {outcome.lost:>5} "
        f"{outcome.seconds:>5.0f}  {outcome.verdict}",
        flush=True,
    )
    return outcome.clean
