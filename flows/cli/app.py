"""Commands and their options; each loads what it needs when it runs, so that --help and plan stay quick."""

from __future__ import annotations

from typing import Annotated

import typer

from blocks.memory import look_seldom
from flows.cli import begun
from flows.cli.blocks import blocks
from flows.cli.clean import clean
from flows.cli.compare import compare
from flows.cli.contest import validate_format
from flows.cli.ending import Ending
from flows.cli.export import export
from flows.cli.models import models
from flows.cli.options import AcceptStale, From, Json, MetricsPort, Name, Profile, RecipeName, Sets, Until
from flows.cli.output import out, say, write_json
from flows.cli.predict import predict
from flows.cli.push import push
from flows.cli.review import review
from flows.cli.schedule import schedule
from flows.cli.show import show
from flows.cli.tune import tune
from flows.cli.up import up
from nightschool.errors import WorldError

app = typer.Typer(
    help="Teaches a small language model overnight: teachers, a committee, SFT, DPO, proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 a gate failed, 2 bad input, 3 the world failed, 4 the window closed.",
)


@app.command()
def run(
    recipe: RecipeName,
    profile: Profile = None,
    sets: Sets = None,
    name: Name = None,
    first: From = None,
    last: Until = None,
    accept_stale: AcceptStale = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Walk every phase in seconds: scripted models, few rows, a throwaway store."),
    ] = False,
    metrics_port: MetricsPort = None,
    json: Json = False,
) -> None:
    """Run a whole night; what is there already is not made again."""
    from flows.cli.by_itself import by_itself

    sets = [*(sets or []), *([f"serve.metrics_port={metrics_port}"] if metrics_port else [])]
    with by_itself() as ready:
        from flows.cli import running
        from tasks.night import Night
        from tasks.recipes import read_recipe
        from tasks.reuse import accept_stale as accepting
        from tasks.span import Span

        if dry_run:
            from flows.cli import dry

            dry.dry_run(recipe, profile, sets, json=json, ready=ready)
            return
        # Read here too: a slip is told at once, before Prefect is loaded.
        planned = Night.plan(read_recipe(recipe, profile=profile, sets=sets), name)
        night = accepting(planned, accept_stale or [])
        span = Span(night.recipe, first, last)
        running.say_verdicts(night, span)
        report = running.run_night(night, recipe, profile, sets, span, ready=ready)
    running.show_report(report, night.dir / "report.html", json=json)
    running.refuse_ended(night, report)


@app.command()
def plan(
    recipe: RecipeName,
    profile: Profile = None,
    sets: Sets = None,
    name: Name = None,
    accept_stale: AcceptStale = None,
    json: Json = False,
) -> None:
    """Show what a night would use again and what it would make, ask and take; nothing is started or written."""
    from blocks.preflight.memory import memory_check
    from flows.cli.claims import claims_table
    from flows.cli.tables import plan_table
    from nightschool.claims import claims_of
    from nightschool.recipe.load import find_recipe
    from nightschool.sources.survey import survey
    from tasks.claims import held_claims
    from tasks.night import Night
    from tasks.plan import plan_night
    from tasks.recipes import read_recipe
    from tasks.reuse import accept_stale as accepting
    from tasks.shift import held

    planned = Night.plan(read_recipe(recipe, profile=profile, sets=sets or []), name)
    night = accepting(planned, accept_stale or [])
    phases, memory, pool = plan_night(night), memory_check(night.recipe), night.recipe.pool
    questions = survey(pool.load()) if pool.file else None
    said = claims_of(find_recipe(recipe))
    claims = held_claims(night, said, profile) if said else []
    if json:
        found = {"phases": phases, "questions": questions, "memory": memory, "running": night.running}
        write_json(found | {"window": held(night), "claims": claims})
        return
    out.print(plan_table(phases, memory, questions, held(night)))
    if said:
        out.print(claims_table(said.plan, claims))
    if night.running:
        out.print(f"Night {night.name} is running now: a second run of it is refused. Wait, or give --name.")


@app.command()
def check(recipe: RecipeName, profile: Profile = None, sets: Sets = None, json: Json = False) -> None:
    """Look whether a night could run here: models, engine, devices, disk, ports; says how to mend what fails."""
    from blocks.preflight.preflight import preflight
    from flows.cli.tables import checks_table
    from tasks.recipes import read_recipe

    checks = preflight(read_recipe(recipe, profile=profile, sets=sets or []), say.print)
    if json:
        write_json(checks)
    else:
        out.print(checks_table(checks))
    if failed := [each for each in checks if each.outcome == "fail"]:
        raise WorldError(f"{len(failed)} of {len(checks)} checks failed")


for command in (begun.status, begun.failures, begun.rerun, begun.report, compare, begun.rows, review, show):
    app.command()(command)


@app.command()
def drill(
    recipe: Annotated[str, typer.Argument(metavar="[RECIPE]", help="The smoke recipe if left out.")] = "smoke",
    sets: Sets = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only scenes with this in their name. May be given again.", metavar="WORD")
    ] = None,
    rows: Annotated[int, typer.Option(min=12, help="Questions, about, for each teacher.")] = 60,
    jobs: Annotated[int, typer.Option(min=1, help="Scenes at once.")] = 2,
    json: Json = False,
) -> None:
    """Kill small nights of a recipe in every way, and show what it cost: requests paid twice, rows lost or mixed."""
    from flows.cli.drill import run_drill

    run_drill(recipe, sets or [], only or [], rows=rows, jobs=jobs, json=json)


app.command()(predict)
app.command()(validate_format)
app.command()(export)
app.command()(models)
app.command()(tune)
app.command()(push)
app.command()(schedule)
app.add_typer(blocks, name="blocks")
app.command()(up)
app.command()(clean)


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


def main() -> None:
    """Run the command that was typed; every failure ends on one screen, with the exit code of its kind."""
    look_seldom()
    with Ending():
        app(prog_name="nightschool")
