"""Commands about the blocks of Prefect's server."""

from __future__ import annotations

import typer

from flows.cli.output import out

blocks = typer.Typer(
    help="Endpoints, stores, trainers and notifiers by name, on Prefect's server.", no_args_is_help=True
)


@blocks.callback()
def _group() -> None:
    """One command today, and its name is said all the same."""


@blocks.command()
def register() -> None:
    """Tell Prefect's server (PREFECT_API_URL) of our kinds of block: their forms are then in its UI, under Blocks."""
    from blocks.registered import register as tell_server

    out.print("\n".join(f"{name}: registered" for name in tell_server()))
    out.print("Fill one in: Blocks in Prefect's UI, then name it in a recipe: store: block/NAME, endpoint: block/NAME")
