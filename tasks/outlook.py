"""What a night takes from here on: by what the nights of its store took, and by what it took itself so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from nightschool.errors import DataError, RecipeError
from nightschool.estimate import GROUPS, Evening, Outlook, outlook
from nightschool.forecast import forecast
from nightschool.recipe.load import load_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.starts import Start
from tasks.facts import facts_in
from tasks.ledger import Run, last_run
from tasks.night import Night
from tasks.steps import STEPS

_MOST_NIGHTS = 8


def ahead(night: Night, run: Run, earlier: list[Evening], phase: str = "") -> Outlook:
    """What is missing of the night, and how long it takes; what is there takes nothing.

    Args:
        run: this evening, as far as it went.
        earlier: see `evenings`.
        phase: the one that begins now.
    """
    seen = night.at_a_glance
    whole = {one.phase: one for one in forecast(night.recipe)}
    shares = {name: _missing(seen, name) for name in whole}
    missing = {name: one.units * shares[name] for name, one in whole.items()}
    trainings = {name: one.chunks * shares[name] for name, one in whole.items() if one.trained}
    teaching = phase in ("pool", "answers") and any(one.name == "questions" for one in run.phases)
    return outlook(missing, evening(night.name, night.recipe, night.engines, run), earlier, trainings=trainings,
                   up=("questions",) if teaching else ())  # fmt: skip


def evenings(night: Night) -> list[Evening]:
    """What the last runs of the newest nights of the store took, this night's own first."""
    folders = [night.dir.parent / name for name in night.store.nights()]
    newest = sorted(folders, key=lambda folder: (folder == night.dir, last_run(folder).started), reverse=True)
    found: list[Evening] = []
    for folder in newest[:_MOST_NIGHTS]:
        try:
            facts, recipe = facts_in(folder), load_recipe(folder / "recipe.resolved.yaml")
        except (OSError, DataError, RecipeError):
            continue
        found.append(evening(folder.name, recipe, facts.engines, last_run(folder)))
    return [one for one in found if one.took]


def evening(name: str, recipe: Recipe, engines: Mapping[str, str], run: Run) -> Evening:
    """What a run took, by phase; a phase of which it made nothing says nothing."""
    whole = {one.phase: one for one in forecast(recipe)}
    took: dict[str, tuple[float, float]] = {}
    lead: dict[str, float] = {}
    for one in run.phases:
        made = one.chunks - one.cached_chunks
        if one.name in whole and made > 0:
            # A phase that came in parts, as validation before a gate, counted some of its chunks twice.
            share = min(1.0, made / max(1, min(one.chunks, whole[one.name].chunks)))
            took[one.name] = (whole[one.name].units * share, max(0.0, one.seconds - one.lead_s))
            lead |= {one.name: one.lead_s / made} if one.lead_s else {}
    served = next((one for one in run.phases if one.name == "serve"), None)
    return Evening(
        night=name,
        took=took,
        who=_who(recipe, engines),
        start_s=served.seconds / served.times if served and served.times else None,
        rest_s=_rest_s(run),
        lead=lead,
        engines=_engines(recipe, engines),
        starts=tuple(
            Start(one.phase, frozenset(one.engines.split("+")), one.seconds / one.times) for one in run.starts
        ),
    )


def _rest_s(run: Run) -> float | None:
    """Seconds between two phases: what the run took beside them."""
    if run.finished is None or not run.phases:
        return None
    wall = (datetime.fromisoformat(run.finished) - datetime.fromisoformat(run.started)).total_seconds()
    return max(0.0, wall - sum(one.seconds for one in run.phases)) / len(run.phases)


def _missing(night: Night, phase: str) -> float:
    """The share of a phase that is not there; all of it, where it isn't known yet what it consists of."""
    chunks = STEPS[phase].chunks(night)
    return 1 - len(night.made(chunks)) / len(chunks) if chunks else 1.0


def _engines(recipe: Recipe, engines: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The engines of the models that carry each group of phases."""
    student = frozenset({engines[recipe.student.name]} if recipe.student else ())
    teachers = frozenset(engines[one.name] for one in recipe.teachers)
    everybody = frozenset(engines[one.name] for one in recipe.models)
    return dict.fromkeys(GROUPS, student) | {"teachers": teachers, "players": everybody}


def _who(recipe: Recipe, engines: Mapping[str, str]) -> dict[str, str]:
    def named(*names: str) -> str:
        return ", ".join(f"{one.model} on {engines[one.name]}" for one in recipe.models if one.name in names)

    student = recipe.student.name if recipe.student else ""
    teachers = [one.name for one in recipe.teachers]
    found = dict.fromkeys(GROUPS, named(student))
    return found | {"teachers": named(*teachers), "players": named(*(one.name for one in recipe.models))}
