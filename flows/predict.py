"""Ensemble inference as a flow of its own: problems asked, votes counted, a submission handed in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from prefect.runtime import flow_run

from blocks.memory import look_seldom
from flows import fields as form
from flows.answering import predicted
from flows.morning import morning
from flows.stopping import stoppable
from flows.turn import turn
from nightschool.errors import RecipeError
from tasks import crew, redo, submission
from tasks.ledger import Ledger
from tasks.metrics import metrics
from tasks.night import Night
from tasks.recipes import read_recipe
from tasks.report import publish_ensemble


def _run_name() -> str:
    given = flow_run.parameters
    return f"predict {given.get('name') or Path(given.get('recipe', '')).stem}"


@flow(name="predict", flow_run_name=_run_name, persist_result=False)
def predict(
    recipe: form.RecipeName,
    profile: form.ProfileName = form.NO_PROFILE,
    sets: form.Sets = (),
    name: form.NewName = "",
    again: Annotated[bool, form.titled("Ask again")] = False,
) -> dict[str, Any]:
    """Answers the problems of a recipe's predict section; what is on file is not asked again.

    Args:
        recipe: name of a recipe in configs/, or a path to one.
        profile: a profile that lies over it.
        sets: single fields to change.
        name: the night's name; the recipe's if this is empty.
        again: whether voters that were not heard the last time are asked again.
    """
    look_seldom()
    loaded = read_recipe(recipe, profile=form.chosen(profile), sets=sets)
    if loaded.predict is None:
        raise RecipeError("the recipe has no such section, so there is nothing to predict", field="predict")
    begun = Night.plan(loaded, name or None)
    with stoppable(), begun.alone(), turn(begun), metrics(begun.recipe.serve.metrics_port):
        submission.look(begun)
        begun.begin()
        crew.begin()
        if again:
            redo.ask_again(begun, "predict", None)
        ledger = Ledger(begun.dir / "predict")
        found = predicted(begun, ledger)
        ledger.finish()
        morning(begun, ledger.run, publish_ensemble)
        return found.model_dump(mode="json")
