"""From which phase until which a run may go: the walk of a night, its ends, and what must be there before."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.errors import RecipeError, Refused
from nightschool.forecast import forecast
from nightschool.recipe.load import load_recipe, recipes
from tasks import answers
from tasks.span import Reached, Span, walk
from tests.half_night import Make
from tests.tasks.conftest import fill, serving

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("path", recipes(CONFIGS), ids=lambda path: path.stem)
def test_the_walk_comes_to_every_phase_that_is_forecast(path: Path) -> None:
    recipe = load_recipe(path)
    assert {phase for phase, _ in walk(recipe)} == {ahead.phase for ahead in forecast(recipe)}


def test_stages_are_walked_one_after_the_other() -> None:
    recipe = load_recipe(CONFIGS / "self_guided.yaml")
    stages = [one for one in walk(recipe) if one[1]]
    first = recipe.stages[0].name
    assert stages[0] == ("sft", first)
    assert [phase for phase, _ in stages].count("dpo") > 1
    assert stages.index(("pairs", "dpo-2")) > stages.index(("dpo", "dpo-1"))


def gone(span: Span, recipe_walk: list[tuple[str, str]]) -> list[str]:
    """The phases that a run of this span enters."""
    found = []
    try:
        for phase, part in recipe_walk:
            span.enter(phase, part)
            found.append(phase)
            span.leave(phase, part)
    except Reached:
        pass
    return found


def test_a_run_ends_behind_the_last_round_of_its_last_phase() -> None:
    recipe = load_recipe(CONFIGS / "self_guided.yaml")
    path = list(walk(recipe))
    pairs = gone(Span(recipe, None, "pairs"), path)
    assert pairs[-1] == "pairs"
    assert pairs.count("pairs") == [phase for phase, _ in path].count("pairs")
    assert gone(Span(recipe, None, "answers"), path)[-1] == "answers"
    assert gone(Span(recipe), path) == [phase for phase, _ in path]
    assert gone(Span(recipe, None, path[-1][0]), path) == [phase for phase, _ in path]


def test_a_run_that_never_comes_to_its_end_ends_before_what_follows() -> None:
    """A stage is left out behind a gate: its phase is not entered."""
    recipe = load_recipe(CONFIGS / "quickstart.yaml")
    skipping = [one for one in walk(recipe) if one[0] != "dpo"]
    assert "validate" not in gone(Span(recipe, None, "dpo"), skipping)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [("anwers", None, "--from"), (None, "arena", "--until"), ("sft", "pool", "comes to pool before sft")],
)
def test_what_the_recipe_does_not_run_is_refused(first: str | None, last: str | None, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        Span(load_recipe(CONFIGS / "quickstart.yaml"), first, last)


def test_nothing_before_the_first_phase_is_made(make: Make) -> None:
    night = make()
    span = Span(night.recipe, "committee")
    with pytest.raises(Refused, match="questions lacks 4 of 4 chunks"):
        span.refuse(night)
    with serving() as served:
        fill(night, served)
    span.refuse(night)
    night.store.path(answers.chunks(night)[0], "manifest.json").unlink()
    with pytest.raises(Refused, match=r"answers lacks 1 of \d+ chunks: run without --from, or with --from answers"):
        span.refuse(night)
    Span(night.recipe).refuse(night)
