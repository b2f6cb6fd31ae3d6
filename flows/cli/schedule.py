"""The command that has Prefect's server begin a recipe's night every evening on which its window opens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json, Profile, Sets
from flows.cli.output import out, write_json
from nightschool.errors import RecipeError


def schedule(
    recipe: Annotated[str | None, typer.Argument(metavar="[RECIPE]", help="Lists all schedules if left out.")] = None,
    profile: Profile = None,
    sets: Sets = None,
    name: Annotated[str | None, typer.Option(help="What its nights are called: RECIPE-{evening} by default.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the recipe's schedule away again.")] = False,
    json: Json = False,
) -> None:
    """Have the server (PREFECT_API_URL, else this machine's) begin a recipe's night whenever its window opens."""
    from blocks import schedules
    from flows.cli.tables import schedules_table

    if recipe is None:
        found = schedules.listed()
        write_json(found) if json else out.print(schedules_table(found))
        return
    from nightschool.window import cron, hours
    from tasks.given_up import EVENING
    from tasks.recipes import read_recipe

    if remove:
        if not schedules.remove(recipe):
            known = ", ".join(one.slug for one in schedules.listed()) or "none"
            raise RecipeError("there is no such schedule", field="--remove", value=recipe, allowed=known)
        out.print(f"The server begins no night of {recipe} by itself any more.")
        return
    loaded = read_recipe(recipe, profile=profile, sets=sets or [])
    if loaded.window is None:
        allowed = "window: {start: 22:00, end: 06:00, zone: Europe/Berlin}"
        raise RecipeError("nobody knows when the recipe's nights are to begin", field="window", allowed=allowed)
    # A worker is in another folder.
    recipe = str(Path(recipe).resolve()) if Path(recipe).is_file() else recipe
    fields = {"recipe": recipe, "profile": profile or "none", "sets": list(sets or [])}
    fields |= {"name": name or f"{loaded.name}-{EVENING}"}
    made = schedules.Evenings(loaded.name, cron(loaded.window), loaded.window.zone, fields)
    schedules.put(made)
    if json:
        write_json(made)
    else:
        out.print(f"The server begins {fields['name']} in its window, {hours(loaded.window)}.", soft_wrap=True)
