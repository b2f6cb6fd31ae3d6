"""The command that holds two nights against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json, Store
from flows.cli.output import out, write_json
from flows.cli.tables import plain_table

if TYPE_CHECKING:
    from nightschool.report.comparison import Comparison


def compare(
    first: Annotated[str, typer.Argument(metavar="NIGHT", help="The night that was before.")],
    second: Annotated[str, typer.Argument(metavar="NIGHT", help="The night that is held against it.")],
    store: Store = "runs",
    other: Annotated[
        str | None, typer.Option("--first-store", help="Where the first night lies, if elsewhere.", metavar="STORE")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json: Json = False,
) -> None:
    """Show what differs between two nights: recipe, rows, stages, gates, times; with intervals, and as a page.

    Students are compared on the held-out questions that both were asked; where there are too few, it says so.
    """
    from tasks.compare import compare as found_in
    from tasks.compare import publish
    from tasks.night import Night

    nights = Night.open(other or store, first), Night.open(store, second)
    found = found_in(*nights)
    page = publish(nights[1], found)
    if json:
        write_json({**found.model_dump(mode="json"), "page": str(page)}, indent=False)
        return
    _show(found)
    out.print(f"\n  As a page: {page}", soft_wrap=True)
    if show:
        typer.launch(str(page.resolve()))


def _show(found: Comparison) -> None:
    from nightschool.report import comparison_text as text

    out.print(f"{text.headline(found)}\n{text.lede(found)}", soft_wrap=True)
    for name, (head, rows) in text.tables(found).items():
        out.print(f"\n{name}", style="bold")
        out.print(plain_table(head, rows))
    for line in text.alone(found):
        out.print(f"\n{line}")
