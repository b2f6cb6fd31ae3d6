"""The command that searches for the best values of some fields of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json, Profile, RecipeName, Sets
from flows.cli.output import out, say, tell, write_json
from nightschool.errors import GateFailed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from nightschool.tune import Tuned
    from tasks.tuning import Tuning


def tune(
    recipe: RecipeName,
    how: Annotated[
        str, typer.Option("--tune", metavar="SEARCH", help="A search in configs/tune/, or a file; else the recipe's.")
    ] = "",
    profile: Profile = None,
    sets: Sets = None,
    name: Annotated[str | None, typer.Option(help="The tuning's name; the recipe's with -tune by default.")] = None,
    json: Json = False,
) -> None:
    """Search for the best values of some fields; each trial is a night, and what no field changes is made once.

    What was cut off goes on with the same command; trials that are over are never run again.
    """
    from flows.cli.by_itself import by_itself

    with by_itself() as ready:
        from flows.cli.live import progress_shown
        from flows.stopping import stoppable
        from nightschool.tune import Tuned
        from tasks.tuning import Tuning

        tuning = Tuning.plan(recipe, how, profile, sets or [], name)
        say.print(f"{tuning.how.count} trials of {', '.join(tuning.how.fields)}, in {tuning.dir}", soft_wrap=True)
        with stoppable(tell), progress_shown(say), ready(tuning.dir):
            from flows.tune import tune as flow

            found = Tuned.model_validate(flow(recipe, how, profile or "none", list(sets or []), tuning.name))
    if json:
        write_json({**found.model_dump(mode="json"), "page": str(tuning.page)}, indent=False)
    else:
        _tell(found, tuning, recipe)
    if found.best is None:
        raise GateFailed("no trial came to a score")


def _tell(found: Tuned, tuning: Tuning, recipe: str) -> None:
    out.print(_table(found, tuning))
    out.print(f"\n{tuning.headline(found)}", soft_wrap=True)
    if found.best is not None:
        out.print(f"  $ nightschool run {recipe} --profile {found.profile}", soft_wrap=True)
    out.print(f"  All of it: {tuning.page}", soft_wrap=True)


def _table(found: Tuned, tuning: Tuning) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("trial", "values", found.metric, ""):
        table.add_column(title, justify="right" if title == "trial" else "left", overflow="fold")
    for trial in found.trials:
        best = trial.number == found.best
        state = "best" if best else "" if trial.state == "complete" else trial.state
        said = Text("; ".join(filter(None, [state, trial.why])), style="green" if best else "dim")
        table.add_row(str(trial.number), tuning.values(trial), tuning.scored(trial), said)
    return table
