"""Which phases are used again, and which field says that one is not."""

from __future__ import annotations

import pytest

from nightschool.lineage import lineage
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.reuse import verdicts

PHASES = ("questions", "pool", "answers", "committee", "sft", "dpo")


def told(*sets: str) -> dict[str, str]:
    old, new = (load_recipe(find_recipe("smoke"), sets=each) for each in ((), sets))
    engines = {model.name: "scripted" for model in old.models}
    return verdicts(old, lineage(old, engines), new, lineage(new, engines), PHASES)


def test_the_same_recipe_is_used_again() -> None:
    assert set(told("serve.concurrency=3").values()) == {"reuse"}


@pytest.mark.parametrize(
    ("change", "phase", "verdict"),
    [
        ("answers.temperature=0.9", "pool", "reuse"),
        ("answers.temperature=0.9", "answers", "redo, because answers.temperature 0.7 -> 0.9"),
        ("answers.temperature=0.9", "committee", "redo, because answers changed upstream"),
        ("seed=8", "questions", "redo, because seed 7 -> 8"),
    ],
)
def test_the_field_that_changed_is_named(change: str, phase: str, verdict: str) -> None:
    assert told(change)[phase] == verdict
