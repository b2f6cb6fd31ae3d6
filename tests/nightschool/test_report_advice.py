"""Advice names no key that the recipe of that night does not have, or would not take."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

import pytest

from nightschool.errors import RecipeError
from nightschool.recipe.gate import Metric
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.report.advice import advice
from nightschool.report.verdict import conclude
from tests.nightschool.example_report import GATES, unjudged

METRICS = (*get_args(Metric), "spot_check")
# The school's questions by letter; words and numbers of a file; a file's solutions that are critiqued; no student.
NIGHTS = ("quickstart", "committee", "aaipl", "strategyqa", "aimo", "critique", "ensemble", "smoke")
KEY = re.compile(r"\b(?:pool|balance|splits|filters|validate|answers|committee|student|serve)\.[A-Za-z_.]+[a-z]")


# What each piece of advice comes to, as --set has it.
DONE: dict[str, Callable[[Recipe], str]] = {
    "pool.per_topic": lambda found: str((found.pool.per_topic or 0) + 1),
    "pool.limit": lambda found: str((found.pool.limit or 0) + 1),
    "balance.by": lambda found: "[answer]",
    "balance.method": lambda found: "upsample",
    "splits.leaks": lambda found: "drop",
    "splits.salt": lambda found: "ours",
    "validate.seeds": lambda found: "[0, 1, 2, 3, 4, 5, 6, 7]",
    "answers.samples": lambda found: str(found.answers.samples + 1),
    "answers.max_tokens": lambda found: str(found.answers.max_tokens + 1),
    "committee.min_agreement": lambda found: "0.7",
    "committee.quorum": lambda found: str(found.quorum + 1),
    "committee.to_review": lambda found: "[tie]",
    "student.max_tokens": lambda found: "32",
    "serve.enable_prefix_caching": lambda found: "true",
    "filters.NAME.weight": lambda found: "0.5",
}  # fmt: skip


def named(words: str, found: Recipe) -> list[str]:
    """Each key that advice names, as a setting that follows it."""
    wanted = []
    for key in KEY.findall(words):
        first = next(iter(found.filters.named), "NAME") if found.filters else "NAME"
        field = found.watched[0] if found.watched else "topic"
        said = f"[{field}]" if key == "balance.by" and "by: [answer]" not in words else DONE[key](found)
        wanted.append(f"{key.replace('NAME', first)}={said}")
    return wanted


@pytest.mark.parametrize("night", NIGHTS)
def test_every_piece_of_advice_can_be_followed_in_the_recipe_that_it_is_given_for(night: str) -> None:
    file = find_recipe(night)
    found = load_recipe(file)
    told = {metric: advice(metric, found) for metric in METRICS}
    refused = {}
    for one in sorted({one for words in told.values() for one in named(words, found)}):
        try:
            followed = load_recipe(file, sets=[one])
        except RecipeError as err:
            refused[one] = str(err)
            continue
        least = one.startswith(("pool.", "answers.", "committee.quorum", "validate.seeds"))
        assert not least or followed != found, f"{one} changes nothing"
    assert refused == {}
    assert "pool.per_topic" not in "".join(told.values()) or found.pool.file is None
    assert all(told.values())


def test_advice_is_about_the_questions_that_a_night_has() -> None:
    school, file = (load_recipe(find_recipe(name)) for name in ("quickstart", "aimo"))
    assert advice("accuracy", school) == "more rows (pool.per_topic), more epochs, or a stronger teacher"
    assert advice("accuracy", file) == "more rows (a longer file), more epochs, or a stronger teacher"
    cut = load_recipe(find_recipe("aimo"), sets=["pool.limit=5"])
    assert advice("taught_rows", cut) == "more rows (a higher pool.limit), or a step that drops less"
    assert "balance.by" in advice("balanced_accuracy", school)
    assert "balance.by" not in advice("guessing_gain", file), "numbers are no classes"
    assert KEY.findall(" ".join(advice(metric, None) for metric in METRICS)) == []


def test_a_gate_that_fails_is_told_with_the_advice_of_its_recipe() -> None:
    recipe = load_recipe(find_recipe("aimo"))
    gate = GATES[0].model_copy(update={"at_least": 0.9})
    [line] = [line for line in conclude(unjudged(), [gate], recipe).what_next if line.startswith("Gate ")]
    assert line == (
        "Gate sft-gain: try more rows (a longer file), more epochs, or more validate.seeds for a narrower interval."
    )
