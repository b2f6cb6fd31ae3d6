"""Commands and their options; each loads what it needs when it runs, so that --help and plan stay quick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.ending import Ending
from flows.cli.output import out, write_json
from nightschool.errors import GateFailed, WorldError

if TYPE_CHECKING:
    from nightschool.report.figures import Report

app = typer.Typer(
    help="Teaches a small language model overnight: teachers, a committee, SFT, DPO, proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 a gate failed, 2 bad input, 3 the world failed.",
)

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe's file, or its name in configs/.")]
Profile = Annotated[str | None, typer.Option(help="Lay profiles/NAME.yaml over the recipe.", metavar="NAME")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change one field: answers.samples=4. May be given again.", metavar="FIELD=VALUE"),
]
Json = Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")]
Store = Annotated[Path, typer.Option(help="Folder of rows, models and nights.")]
NightName = Annotated[str, typer.Argument(metavar="NIGHT", help="The night's name.")]


@app.command()
def run(
    recipe: RecipeName,
    profile: Profile = None,
    sets: Sets = None,
    name: Annotated[str | None, typer.Option(help="The night's name; the recipe's by default.")] = None,
    json: Json = False,
) -> None:
    """Run a whole night; what is there already is not made again."""
    from flows.cli import running
    from nightschool.recipe.load import find_recipe, load_recipe
    from tasks.night import Night

    # Read here too: a slip is told in milliseconds, before Prefect is loaded.
    night = Night.plan(load_recipe(find_recipe(recipe), profile=profile, sets=sets or []), name)
    report = running.run_night(night, recipe, profile, sets or [])
    running.show_report(report, night.dir / "report.html", json=json)
    _judge(report)


@app.command()
def plan(recipe: RecipeName, profile: Profile = None, sets: Sets = None, json: Json = False) -> None:
    """Show what a night would do: phases, chunks, requests, tokens, time, memory; nothing is started or written."""
    from blocks.preflight.memory import memory_check
    from flows.cli.tables import plan_table
    from nightschool.recipe.load import find_recipe, load_recipe
    from tasks.plan import plan_night

    loaded = load_recipe(find_recipe(recipe), profile=profile, sets=sets or [])
    phases, memory = plan_night(loaded), memory_check(loaded)
    if json:
        write_json({"phases": phases, "memory": memory})
    else:
        out.print(plan_table(phases, memory))


@app.command()
def check(recipe: RecipeName, profile: Profile = None, sets: Sets = None, json: Json = False) -> None:
    """Look whether a night could run here: models, engine, devices, disk, ports; says how to mend what fails."""
    from blocks.preflight.preflight import preflight
    from flows.cli.tables import checks_table
    from nightschool.recipe.load import find_recipe, load_recipe

    checks = preflight(load_recipe(find_recipe(recipe), profile=profile, sets=sets or []))
    if json:
        write_json(checks)
    else:
        out.print(checks_table(checks))
    if failed := [each for each in checks if each.outcome == "fail"]:
        raise WorldError(f"{len(failed)} of {len(checks)} checks failed")


@app.command()
def status(
    night: Annotated[str | None, typer.Argument(metavar="[NIGHT]", help="All nights if left out.")] = None,
    store: Store = Path("runs"),
    json: Json = False,
) -> None:
    """Show a night as a grid of chunks, with what failed and the command that redoes it."""
    from flows.cli import running
    from flows.cli.tables import nights_table, status_grid
    from tasks.night import Night
    from tasks.status import status as status_of

    if night is None:
        found = running.verdicts(store)
        table = nights_table(store, found)
    else:
        found = status_of(Night.open(store, night))
        table = status_grid(night, found)
    if json:
        write_json(found)
    else:
        out.print(table)


@app.command()
def rerun(
    night: NightName,
    phase: Annotated[str, typer.Option(help="The phase to make anew.")],
    chunk: Annotated[int | None, typer.Option(min=0, help="Only this chunk, as `status` counts them.")] = None,
    store: Store = Path("runs"),
    json: Json = False,
) -> None:
    """Make a phase, or one chunk of it, anew, and whatever depends on it."""
    from flows.cli import running

    report = running.rerun_night(store, night, phase, chunk)
    running.show_report(report, store / "nights" / night / "report.html", json=json)
    _judge(report)


@app.command()
def report(
    night: NightName,
    store: Store = Path("runs"),
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json: Json = False,
) -> None:
    """Show a night's figures again, and where its page is."""
    from flows.cli import running

    found, page = running.read_report(store, night), store / "nights" / night / "report.html"
    if json:
        write_json(found)
        return
    running.show_report(found, page, json=False)
    if show:
        typer.launch(str(page.resolve()))


@app.command()
def schema() -> None:
    """Print the JSON schema of a recipe, for editors."""
    from nightschool.recipe.load import json_schema

    write_json(json_schema())


@app.command()
def doctor(json: Json = False) -> None:
    """Print versions, devices and settings for a bug report."""
    from blocks import machine
    from flows.cli.tables import doctor_table

    found = {"machine": machine.facts(), "packages": machine.versions(), "environment": machine.settings()}
    if json:
        write_json(found)
    else:
        out.print(doctor_table(found))


def _judge(report: Report) -> None:
    if failed := [gate.name for gate in report.gates if not gate.passed]:
        raise GateFailed(f"{len(failed)} of {len(report.gates)} gates failed: {', '.join(failed)}")


def main() -> None:
    """Run the command that was typed; every failure ends on one screen, with the exit code of its kind."""
    with Ending():
        app(prog_name="nightschool")
