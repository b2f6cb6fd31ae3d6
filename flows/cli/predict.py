"""The command that has an ensemble answer problems and hands in a submission."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.options import Json, Profile, RecipeName, Sets
from flows.cli.output import out, say, tell, write_json
from nightschool.errors import GateFailed


def predict(
    recipe: RecipeName,
    profile: Profile = None,
    sets: Sets = None,
    name: Annotated[
        str | None, typer.Option(help="The night's name, whose student is asked; the recipe's by default.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Ask voters again that were not heard: too late, or silent.")
    ] = False,
    json: Json = False,
) -> None:
    """Have an ensemble answer the problems of a recipe's predict section, and write its submission.

    Models x prompt templates, voting by the recipe's committee, within its time budget. What was asked is on file: the
    same command goes on where it stopped, and asks nothing twice.
    """
    from flows.cli.by_itself import by_itself

    with by_itself() as ready:
        from flows.cli.live import progress_shown
        from flows.stopping import stoppable
        from nightschool.report.ensemble import lines
        from nightschool.report.predicted import Ensemble
        from tasks.night import Night
        from tasks.recipes import read_recipe

        # Read here too: a slip is told at once, before Prefect is loaded.
        night = Night.plan(read_recipe(recipe, profile=profile, sets=sets or []), name)
        with stoppable(tell), progress_shown(say), ready(night.dir):
            from flows.predict import predict as flow

            found = Ensemble.model_validate(flow(recipe, profile or "none", list(sets or []), night.name, again))
    if json:
        write_json(found, indent=False)
    else:
        out.print("\n".join(["", *lines(found)]), soft_wrap=True)
    if found.judged is not None and not found.judged.taken:
        raise GateFailed("the contest would not take this submission: see the rules that it breaks")
