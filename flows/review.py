"""The rows that a night left to people, one after the other as forms of Prefect's page; then the night goes on."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows import fields as form
from flows.form import sit
from flows.night import night as whole
from nightschool.errors import RecipeError
from tasks.night import Night
from tasks.review import fresh
from tasks.sitting import Sitting


@flow(name="review", flow_run_name="review of {night}", persist_result=False)
def review(
    night: form.NightName,
    go_on: Annotated[bool, form.titled("Go on with the night")] = True,
    store: form.StoreName = "runs",
) -> dict[str, Any] | State | str:
    """Asks of every row that the committee left to a person: press Resume on the run's page for each.

    Every decision is on file at once: a run that is cancelled loses none, and nothing is asked twice.

    Args:
        night: The night's name.
        go_on: Has the night take in what was decided, and make again what depends on it.
        store: Folder of rows, models and nights, or the URL of a shared one.
    """
    begun = Night.open(store, night)
    if begun.recipe.review is None:
        raise RecipeError("this night has no section review, so it leaves no rows to people", field="review")
    sit(Sitting(begun, who=""))
    new = fresh(begun)
    if begun.running or not (go_on and new):
        return f"{new} decisions are not in the night yet" if new else "The night knows all decisions"
    return whole.fn(str(begun.dir / "recipe.resolved.yaml"), sets=[f"store={store}"], name=night)
