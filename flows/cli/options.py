"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe's file, or its name in configs/.")]
Profile = Annotated[
    str | None, typer.Option(help="Lay profiles/NAME.yaml, or a file, over the recipe.", metavar="NAME")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change one field: answers.samples=4. May be given again.", metavar="FIELD=VALUE"),
]
Name = Annotated[str | None, typer.Option(help="The night's name; the recipe's by default.")]
AcceptStale = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-stale",
        metavar="PHASE",
        help="Use this phase's rows again although what made them has changed; the report says so. May be given again.",
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="PHASE",
        help="Make nothing before this phase: what it builds on must be there already, or the night is refused.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="PHASE", help="Make nothing after this phase, and end well; the next run goes on from there."
    ),
]
MetricsPort = Annotated[int | None, typer.Option(help="Serve OpenMetrics on this port of loopback.", metavar="PORT")]
Json = Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")]
Store = Annotated[str, typer.Option(help="Folder of rows, models and nights, or the URL of a shared one.")]
NightName = Annotated[str, typer.Argument(metavar="NIGHT", help="The night's name.")]
