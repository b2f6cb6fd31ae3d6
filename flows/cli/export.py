"""The command that hands a night's rows to other programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.cli.options import Json, NightName, Store
from flows.cli.output import out, write_json
from nightschool.errors import RecipeError

if TYPE_CHECKING:
    from tasks.night import Night

_Format = Literal["verl", "trl", "chatml", "sharegpt", "datasets", "csv", "jsonl", "aaipl", "kaggle"]
# What these leave is no table of rows.
_SUBMISSIONS = ("aaipl", "kaggle")


def export(
    night: NightName,
    format_: Annotated[_Format, typer.Option("--format", help="For other programs, or a contest.")],
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
    """Write a night's rows for another program, or its students for a contest; README and manifest beside them."""
    from tasks.night import Night

    if format_ in _SUBMISSIONS:
        _refuse({"--phase": phase, "--side": side, "--data-source": data_source}, format_)
        _hand_in(format_, Night.open(store, night), to, force=force, json=json)
        return
    from tasks import export as exports

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


def _refuse(given: Mapping[str, str | None], format_: str) -> None:
    for option, value in given.items():
        if value is not None:
            raise RecipeError(f"is for rows, and {format_} is a submission", field=option, value=value)


def _hand_in(format_: str, night: Night, to: Path | None, *, force: bool, json: bool) -> None:
    from nightschool.report.text import size
    from tasks import handin, kaggle

    found = {"aaipl": handin.hand_in, "kaggle": kaggle.hand_in}[format_](night, to, force=force)
    if json:
        write_json(found)
        return
    for what, model in found.models.items():
        out.print(f"{what:>12}  {model}", soft_wrap=True)
    out.print(f"\n{found.format}, {size(found.bytes)}: {found.folder}", soft_wrap=True)
    if found.zip:
        out.print(f"zip: {found.zip}", soft_wrap=True)
    out.print("README.md there says how to run it")
