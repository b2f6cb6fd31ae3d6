"""A search over fields of a recipe: each trial is a night of its own, and what no field changes is made once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from blocks.study import Study, opened
from flows import fields as form
from flows.night import night
from flows.showing import create_markdown_artifact
from nightschool.errors import DataError, Pruned, RecipeError
from nightschool.report.figures import Report
from nightschool.report.text import duration
from nightschool.report.trials import scored
from nightschool.tune import ALWAYS, Trial, curves, overrides, score, twin
from tasks import progress, pruning
from tasks.tuning import Tuning


def _run_name() -> str:
    given = flow_run.parameters
    return given.get("name") or f"tune {given.get('recipe', '')}"


@flow(name="tune", flow_run_name=_run_name, persist_result=False)
def tune(
    recipe: form.RecipeName,
    how: str = "",
    profile: form.ProfileName = form.NO_PROFILE,
    sets: form.Sets = (),
    name: form.NewName = "",
) -> dict[str, Any]:
    """Runs the trials that are missing; one that was cut off goes on where its night stopped.

    Args:
        recipe: name of a recipe in configs/, or a path to one.
        how: name of a search in configs/tune/, or a path to one; the recipe's own section if this is empty.
        profile: a profile that lies over the recipe.
        sets: single fields to change, in every trial.
        name: the tuning's name; the recipe's with -tune if this is empty.
    """
    tuning = Tuning.plan(recipe, how, form.chosen(profile), sets, name or None)
    with opened(tuning.journal, tuning.how, tuning.name) as study:
        while trial := study.next():
            counts = progress.track(f"trial {trial.number + 1}", note=tuning.told(trial))
            ended = _walk(tuning, study, trial)
            counts.finish(tuning.told(ended))
            _show(tuning, study.trials())
        return _show(tuning, study.trials())


def _walk(tuning: Tuning, study: Study, trial: Trial) -> Trial:
    """The trial's night, rung by rung; a recipe or rows that cannot be trained on fail it, and the search goes on.

    Raises:
        WorldError: something outside failed; the trial is gone on with next time.
    """
    if same := twin(study.trials(), trial.values):
        return study.tell(trial, "complete", same.score, why=f"as trial {same.number}")
    began = time.monotonic()
    rungs = [overrides(rung) for rung in tuning.how.rungs]
    for place, rung in enumerate([*rungs, []]):
        sets = [*tuning.sets, *overrides(trial.values), *rung, *ALWAYS]
        # A rung may train on less: its curves are no measure for the whole, nor the other way.
        watch = pruning.watched(tuning.how, study.trials()) if place == len(rungs) else nullcontext()
        try:
            with watch:
                found = Report.model_validate(night(str(tuning.recipe), tuning.profile, sets, trial.night))
        except Pruned as err:
            return study.tell(trial, "pruned", why=str(err))
        except (DataError, RecipeError) as err:
            return study.tell(trial, "failed", why=str(err).splitlines()[0][:300])
        value = score(tuning.how, found)
        if value is None:
            return study.tell(trial, "failed", why=f"{tuning.how.metric} was not measured")
        if place < len(rungs) and study.report(trial, place, value):
            return study.tell(trial, "pruned", why=f"after rung {place + 1}: {scored(tuning.how.metric, value)}")
        if place == len(rungs):
            seconds = round(time.monotonic() - began, 1)
            return study.tell(trial, "complete", value, seconds=seconds, looks=curves(found))
    raise AssertionError("the last rung is the whole night")


def _show(tuning: Tuning, trials: Sequence[Trial]) -> dict[str, Any]:
    """The search so far: on disk, and in Prefect's UI."""
    found = tuning.publish(trials)
    lines = ["| trial | values | score | |", "|---|---|---|---|"]
    lines += [f"| {one.number} | {tuning.values(one)} | {tuning.scored(one)} | {one.state} "
              f"{duration(one.seconds) if one.seconds else one.why} |" for one in trials]  # fmt: skip
    create_markdown_artifact("\n".join(lines), key="tune", description=tuning.headline(found))
    create_markdown_artifact(f"`{tuning.page.resolve()}`", key="tune-page", description="The page of the search")
    return found.model_dump(mode="json")
