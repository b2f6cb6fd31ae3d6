"""The command by which people decide what the committee left open."""

from __future__ import annotations

import getpass
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import NightName, Store
from flows.cli.output import out
from nightschool.errors import RecipeError, WorldError
from nightschool.report.people import DID

if TYPE_CHECKING:
    from tasks.night import Night
    from tasks.sitting import Sitting


def review(
    night: NightName,
    who: Annotated[str | None, typer.Option(help="Who decides; the user's name by default.", metavar="NAME")] = None,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write the rows that wait to a CSV file, for a spreadsheet.")
    ] = None,
    take_in: Annotated[
        Path | None, typer.Option("--import", help="Take in what was decided in such a file: all of it or nothing.")
    ] = None,
    spot_check: Annotated[
        bool, typer.Option("--spot-check", help="Look at 20 rows, drawn by chance, of those that are taught.")
    ] = False,
    store: Store = "runs",
) -> None:
    """Decide the rows that the committee left to a person: accept, choose, edit, reject or skip, by keys alone.

    With --spot-check, say of rows that are taught whether they are good or bad; the report gets the share of bad ones.

    Every decision is on file before the next row is shown: Ctrl-C loses nothing, and nothing is asked twice.
    """
    from flows.cli import review_sheet
    from tasks.night import Night
    from tasks.review import fresh
    from tasks.sitting import Sitting

    begun = Night.open(store, night)
    person = (who or getpass.getuser()).strip()
    if spot_check:
        if export or take_in:
            raise RecipeError("a spot check is looked at here, not in a sheet", field="--spot-check")
        out.print(_spot_check(begun, person), soft_wrap=True)
        return
    if begun.recipe.review is None:
        raise RecipeError("this night has no section review, so it leaves no rows to people", field="review",
                          allowed="wait, skip, until HH:MM")  # fmt: skip
    if export:
        out.print(review_sheet.export(begun, export), soft_wrap=True)
        return
    out.print(review_sheet.take_in(begun, take_in, person) if take_in else _sit(Sitting(begun, person)), soft_wrap=True)
    out.print(_what_next(f"{night}{begun.flags}", running=begun.running, fresh=fresh(begun)), soft_wrap=True)


def _spot_check(night: Night, who: str) -> str:
    """A sitting over the rows that were drawn, if any is left to look at; then what the report says by now."""
    from nightschool.report.people import spotted
    from tasks.sitting import Sitting
    from tasks.spot_check import refresh, waiting

    sitting = Sitting(night, who, waiting(night), spot_check=True)
    if not sitting.total:
        return f"Night {night.name} teaches no rows yet."
    if sitting.left:
        _sit(sitting)
    found = refresh(night)
    return f"{spotted(found)}." if found else ""


def _sit(sitting: Sitting) -> str:
    name, where = sitting.night.name, sitting.night.where
    if not sitting.total:
        return f"No row of night {name} waits for a person."
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        mend = "use one" if sitting.spot_check else f"use one, or: nightschool review {name}{where} --export rows.csv"
        raise WorldError(f"{sitting.left} rows of {name} wait, and this is no terminal to show them on: {mend}")
    from flows.cli.review_view import ReviewApp

    ReviewApp(sitting).run()
    counts = Counter(one.action for one in sitting.decisions)
    did = ", ".join(f"{counts[action]} {words}" for action, words in DID.items() if counts[action])
    return f"{counts.total()} decided{f' ({did})' if did else ''}, {sitting.left} wait."


def _what_next(night: str, *, running: bool, fresh: int) -> str:
    if running:
        return "The night runs: if it waits, it goes on by itself once nothing is open."
    take_in = f"{fresh} decisions are not in the night yet: nightschool rerun {night}"
    return take_in if fresh else "The night knows all decisions."
