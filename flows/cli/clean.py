"""The command that frees the disk of old nights."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from flows.cli.options import Json, Store
from flows.cli.output import out, write_json


def clean(
    older_than: Annotated[
        float | None,
        typer.Option("--older-than", min=0, help="What nobody used for so many days goes.", metavar="DAYS"),
    ] = None,
    at_most: Annotated[
        float | None,
        typer.Option("--at-most", min=0, help="The oldest goes until the store is as small as this.", metavar="GB"),
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="This night stays. May be given again.", metavar="NIGHT")
    ] = None,
    really: Annotated[bool, typer.Option("--yes", help="Remove it; without this, only say what would go.")] = False,
    store: Store = "runs",
    json: Json = False,
) -> None:
    """Say what of a store is old or too much, and remove it with --yes; never what a night that stays needs.

    A night takes along the rows, journals and models that no other night needs. People's decisions stay.
    """
    from nightschool.report.retention import told
    from tasks.clean import look, remove

    choice = look(store, now=time.time(), older_than_days=older_than, at_most_gb=at_most, keep=keep or ())
    freed = remove(store, choice) if really else None
    if json:
        names = {what: [one.name for one in getattr(choice, what)] for what in ("nights", "folders")}
        write_json({**names, "before": choice.before, "bytes": choice.freed, "freed": freed})
        return
    out.print("\n".join(told(choice, time.time(), freed)), soft_wrap=True)
