"""The night, in order: from a recipe to a proven student and a report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from blocks.fleet import reap
from blocks.memory import look_seldom, watching
from blocks.preflight.training import refuse_stages
from flows import fields as form
from flows.answering import predicted
from flows.artifacts import links_artifact, reuse_artifact
from flows.morning import ended, morning
from flows.notices import Notices
from flows.people import hear_people
from flows.phase import run_phase
from flows.runners import cluster
from flows.shift import STOPPED, comes_too_late, runner, went_through
from flows.skipping import skip
from flows.stopping import noting, stoppable
from flows.turn import turn
from nightschool.errors import NightError, WindowClosed
from nightschool.recipe.stages import BASE
from tasks import branches, crew, filters, holding, stages, submission, timing
from tasks.ledger import Ledger, goes_on
from tasks.metrics import metrics
from tasks.night import Night
from tasks.recipes import read_recipe
from tasks.reuse import accept_stale as accepting
from tasks.reuse import refuse, reuse
from tasks.serving import judges, players, student, teachers
from tasks.shift import Shift
from tasks.span import Reached, Span
from tasks.steps import STEPS


def _run_name() -> str:
    given = flow_run.parameters
    return (given.get("name") or "").replace("-{evening}", "") or Path(given.get("recipe", "night")).stem


@flow(name="night", flow_run_name=_run_name, persist_result=False)
def night(
    recipe: form.RecipeName = "quickstart",
    profile: form.ProfileName = form.NO_PROFILE,
    sets: form.Sets = (),
    name: form.NewName = "",
    from_phase: form.FromPhase = form.BEGINNING,
    until_phase: form.UntilPhase = form.END,
    accept_stale: form.Accepted = (),
) -> dict[str, Any] | State:
    """Runs a whole night; what the store has already is not made again.

    Args:
        recipe: What the night does: a file of configs/.
        profile: Lies over the recipe and changes many fields at once, such as tiny.
        sets: Single fields of the recipe to change, one an item: answers.samples=4.
        name: Small letters, digits, dots and dashes; the recipe's own name if this is empty.
        from_phase: Makes nothing before this phase: what it builds on must be there already, or the night is refused.
        until_phase: Makes nothing after this phase; the same form with "the end" goes on from there.
        accept_stale: Uses the rows of these phases again although the recipe has changed since; the report says so.
    """
    look_seldom()
    loaded = read_recipe(recipe, profile=form.chosen(profile), sets=sets)
    begun = accepting(Night.plan(loaded, name or None), accept_stale)
    span = Span(begun.recipe, form.chosen(from_phase), form.chosen(until_phase))
    ledger = Ledger(begun.dir, begun.accepted)
    peak = watching(lambda count: ledger.memory("peak", count))
    told = Notices(begun)
    with stoppable(), begun.alone(), turn(begun), metrics(begun.recipe.serve.metrics_port), peak, told:
        verdicts = reuse(begun.at_a_glance)
        refuse(verdicts)
        span.refuse(begun)
        links_artifact(begun)
        reuse_artifact(verdicts)
        filters.look(begun)
        submission.look(begun)
        refuse_stages(begun.recipe)
        if late := comes_too_late(shift := Shift(begun, ledger)):
            return late
        told.started()
        return _made(shift, ledger, span)


def _made(shift: Shift, ledger: Ledger, span: Span) -> dict[str, Any] | State:
    """The phases of this span made, and the report of what came of them."""
    shift.night.begin()
    crew.begin()
    reap(shift.night.servers)
    until = None
    try:
        with cluster(shift.night.recipe), noting(partial(ledger.finish, goes_on="world")):
            went_through(shift, lambda: _phases(shift.night, ledger, runner(shift, ledger, span)))
    except Reached:
        until = span.last
    except NightError as err:
        ledger.finish(stopped_by=str(err), goes_on=goes_on(err))
        figures = morning(shift.night, ledger.run)
        if isinstance(err, WindowClosed):
            return Completed(name=STOPPED, message=str(err), data=figures)
        raise
    ledger.finish(until=until)
    return ended(morning(shift.night, ledger.run))


def _hold(begun: Night, ledger: Ledger, name: str) -> None:
    """Measures a stage at once if a gate may stop the night by it, or skip what builds on it."""
    if wanted := branches.asked(begun, name):
        with student(begun, ledger) as served:
            for one in wanted:
                run_phase(begun, ledger, STEPS["validate"].of(one), served)
        holding.hold(begun)


def _phases(begun: Night, ledger: Ledger, run: Callable[..., None]) -> None:
    run("school")
    with teachers(begun, ledger) as served:
        run("questions", served)
        run("pool")
        run("answers", served)
    run("merge")
    run("committee")
    hear_people(begun, ledger)
    run("review")
    run("filters")
    run("splits")
    run("balance")
    run("critique")
    _hold(begun, ledger, BASE)
    for stage in begun.recipe.stages:
        if gate := branches.skipped(begun).get(stage.name):
            skip(stage.kind, stage.name, f"gate {gate}")
            continue
        if stage.draft_of:
            with student(begun, ledger, stage.draft_of) as served:
                run("drafts", served, of=stage.draft_of)
        if stage.kind != "sft":
            with student(begun, ledger, *stages.asked(begun, stage)) as served:
                if stage.gate:
                    run("rounds", served, of=stage.gate)
                run("pairs", served, of=stage.name)
        run(stage.kind, of=stage.name)
        _hold(begun, ledger, stage.name)
    _prove(begun, ledger, run)
    run("package")
    if begun.recipe.predict:
        predicted(begun, ledger)


def _prove(begun: Night, ledger: Ledger, run: Callable[..., None]) -> None:
    """The student on held-out questions, everyone against everyone, and what judges say of their questions."""
    with student(begun, ledger) as served:
        run("validate", served)
        if timing.fresh(begun):
            served.stop()
        run("timing", served)
        run("ablate", served)
    run("attribute")
    with players(begun, ledger) as served:
        run("challenges", served)
        run("arena", served)
    with judges(begun, ledger) as served:
        run("quality", served)
