"""`nightschool drill`: what crashes cost, as a table."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from flows.cli.output import out, say, write_json
from flows.drill.drill import Outcome, drill
from flows.drill.scenes import SCENES, Scene
from nightschool.errors import RecipeError, WorldError
from nightschool.report.text import duration
from tasks.recipes import read_recipe


def run_drill(recipe: str, sets: Sequence[str], only: Sequence[str], *, rows: int, jobs: int, json: bool) -> None:
    """Drill a recipe and show what each scene cost.

    Raises:
        RecipeError: no scene has such a name.
        WorldError: a scene was not clean; its folder stays.
    """
    whole = read_recipe(recipe, sets=sets)
    scenes = _chosen(only)
    folder = Path(tempfile.mkdtemp(prefix="nightschool-drill-"))
    count = len(scenes) + 1
    say.print(f"{count} scenes on scripted teachers, real processes and real kills, in {folder}", soft_wrap=True)

    def tell(outcome: Outcome) -> None:
        say.print(f"{outcome.scene:<36} {duration(outcome.seconds):>7}  {outcome.verdict}", soft_wrap=True)

    outcomes = drill(whole, folder, scenes=scenes, rows=rows, jobs=jobs, on_outcome=tell)
    if json:
        write_json(outcomes)
    else:
        out.print("", table(outcomes))
        out.print(
            f"What may be paid twice is what was in flight at a kill. Logs and stores: {folder}",
            soft_wrap=True,
        )
    if unclean := [outcome for outcome in outcomes if not outcome.clean]:
        raise WorldError(f"{len(unclean)} of {len(outcomes)} scenes were not clean: {unclean[0].scene}")


def table(outcomes: Sequence[Outcome]) -> Table:
    """One row a scene."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("scene", "needed", "sent", "paid twice", "lost", "mixed", "verdict"):
        found.add_column(name, justify="left" if name in ("scene", "verdict") else "right", overflow="fold")
    for one in outcomes:
        counts = (f"{count:,}" for count in (one.needed, one.sent, one.paid_twice, one.lost, one.mixed))
        found.add_row(one.scene, *counts, Text(one.verdict, style="green" if one.clean else "bold red"))
    return found


def _chosen(only: Sequence[str]) -> list[Scene]:
    """The scenes whose names have one of the words in them; all if none is given."""
    found = [scene for scene in SCENES if not only or any(word in scene.name for word in only)]
    if not found:
        known = ", ".join(scene.name for scene in SCENES)
        raise RecipeError("there is no such scene", field="--only", value=", ".join(only), allowed=known)
    return found
