"""The command that hands a night's rows to other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.cli.options import Json, NightName, Store
from flows.cli.output import out, write_json

_Format = Literal["verl", "trl", "chatml", "sharegpt", "datasets", "csv", "jsonl"]


def export(
    night: NightName,
    format_: Annotated[_Format, typer.Option("--format", help="For verl, TRL, datasets, Kaggle (csv), or plain.")],
    phase: Annotated[
        str | None, typer.Option(help="Whose rows; by default those to be taught. pool, pairs, ...")
    ] = None,
    side: Annotated[Literal["train", "validation", "test"] | None, typer.Option(help="Only this side.")] = None,
    to: Annotated[Path | None, typer.Option(help="The folder; beside the night's report by default.")] = None,
    data_source: Annotated[str | None, typer.Option(help="By what verl picks its reward.", metavar="NAME")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an export that is there already.")] = False,
    store: Store = "runs",
    json: Json = False,
) -> None:
    """Write a night's rows for another program, with a README and a manifest beside them."""
    from tasks import export as exports
    from tasks.night import Night

    order = exports.Order(format_, phase, (side,) if side else exports.SIDES, data_source)
    found = exports.export(Night.open(store, night), order, to, force=force)
    if json:
        write_json(found)
        return
    for name, count in found.rows.items():
        out.print(f"{count:>9,} rows  {name}")
    for reason, count in found.left_out.items():
        out.print(f"{count:>9,} times left out: {reason}")
    out.print(f"\n{found.format} of {found.phase}: {found.folder}", soft_wrap=True)
