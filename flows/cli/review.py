"""The command by which people decide what the committee left open."""

from __future__ import annotations

import getpass
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import NightName, Store
from flows.cli.output import out
from nightschool.errors import RecipeError, WorldError
from nightschool.report.people import DID

if TYPE_CHECKING:
    from tasks.sitting import Sitting


def review(
    night: NightName,
    who: Annotated[str | None, typer.Option(help="Who decides; the user's name by default.", metavar="NAME")] = None,
    store: Store = "runs",
) -> None:
    """Decide the rows that the committee left to a person: accept, choose, edit, reject or skip, by keys alone.

    Every decision is on file before the next row is shown: Ctrl-C loses nothing, and nothing is asked twice.
    """
    from tasks.night import Night
    from tasks.review import fresh
    from tasks.sitting import Sitting

    begun = Night.open(store, night)
    if begun.recipe.review is None:
        raise RecipeError("this night has no section review, so it leaves no rows to people", field="review",
                          allowed="wait, skip, until HH:MM")  # fmt: skip
    sitting = Sitting(begun, (who or getpass.getuser()).strip())
    if sitting.total:
        _sit(sitting)
        counts = Counter(one.action for one in sitting.decisions)
        did = ", ".join(f"{counts[action]} {words}" for action, words in DID.items() if counts[action])
        out.print(f"{counts.total()} decided{f' ({did})' if did else ''}, {sitting.left} wait.")
    else:
        out.print(f"No row of night {night} waits for a person.")
    out.print(_what_next(night, running=begun.running, fresh=fresh(begun)), soft_wrap=True)


def _sit(sitting: Sitting) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise WorldError(f"{sitting.total} rows of {sitting.night.name} wait, and this is no terminal to show them on")
    from flows.cli.review_view import ReviewApp

    ReviewApp(sitting).run()


def _what_next(night: str, *, running: bool, fresh: int) -> str:
    if running:
        return "The night runs: if it waits, it goes on by itself once nothing is open."
    take_in = f"{fresh} decisions are not in the night yet: nightschool rerun {night}"
    return take_in if fresh else "The night knows all decisions."
