"""The night, in order: from a recipe to a proven student and a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from pydantic import Field

from blocks.fleet import reap
from blocks.memory import look_seldom, watching
from blocks.preflight.training import refuse_stages
from flows.answering import predicted
from flows.artifacts import reuse_artifact
from flows.morning import ended, morning
from flows.people import hear_people
from flows.phase import run_phase
from nightschool.errors import NightError
from nightschool.recipe.load import recipes
from nightschool.recipe.stages import BASE
from tasks import branches, crew, filters, stages, submission, timing
from tasks.ledger import Ledger
from tasks.metrics import metrics
from tasks.night import Night
from tasks.recipes import read_recipe
from tasks.reuse import accept_stale as accepting
from tasks.reuse import refuse, reuse
from tasks.serving import Desk, judges, players, student, teachers
from tasks.steps import STEPS

# The form of Prefect's page offers these; a call from Python takes any path as well.
_CONFIGS = Path(__file__).parents[1] / "configs"
_NO_PROFILE = "none"


def _offered(*names: str) -> Any:
    return Field(json_schema_extra={"enum": list(names)})


RecipeName = Annotated[str, _offered(*(file.stem for file in recipes(_CONFIGS)))]
ProfileName = Annotated[
    str, _offered(_NO_PROFILE, *sorted(file.stem for file in (_CONFIGS / "profiles").glob("*.yaml")))
]
PhaseName = Annotated[str, _offered(*STEPS)]


def _run_name() -> str:
    given = flow_run.parameters
    return given.get("name") or Path(given.get("recipe", "night")).stem


@flow(name="night", flow_run_name=_run_name, persist_result=False)
def night(
    recipe: RecipeName = "quickstart",
    profile: ProfileName = _NO_PROFILE,
    sets: Sequence[str] = (),
    name: str = "",
    accept_stale: Sequence[PhaseName] = (),
) -> dict[str, Any] | State:
    """Runs a whole night; what the store has already is not made again.

    Args:
        recipe: name of a recipe in configs/, or a path to one.
        profile: a profile that lies over it, such as tiny.
        sets: single fields to change, such as answers.samples=4.
        name: the night's name; the recipe's if this is empty.
        accept_stale: phases whose rows are used again although the recipe has changed since; the report says so.
    """
    look_seldom()
    loaded = read_recipe(recipe, profile=None if profile == _NO_PROFILE else profile, sets=sets)
    begun = accepting(Night.plan(loaded, name or None), accept_stale)
    ledger = Ledger(begun.dir, begun.accepted)
    peak = watching(lambda count: ledger.memory("peak", count))
    with begun.alone(), metrics(begun.recipe.serve.metrics_port), peak:
        verdicts = reuse(begun.at_a_glance)
        refuse(verdicts)
        reuse_artifact(verdicts)
        filters.look(begun)
        submission.look(begun)
        refuse_stages(begun.recipe)
        begun.begin()
        crew.begin()
        reap(begun.dir / "servers")
        try:
            _phases(begun, ledger)
        except NightError as err:
            ledger.finish(stopped_by=str(err))
            morning(begun, ledger.run)
            raise
        ledger.finish()
        return ended(morning(begun, ledger.run))


def _hold(begun: Night, ledger: Ledger, name: str) -> None:
    """Measures a stage at once if a gate may stop the night by it, or skip what builds on it."""
    if wanted := branches.asked(begun, name):
        with student(begun, ledger) as served:
            for one in wanted:
                run_phase(begun, ledger, STEPS["validate"].of(one), served)
        branches.hold(begun)


def _phases(begun: Night, ledger: Ledger) -> None:
    def run(phase: str, *desk: Desk, of: str = "") -> None:
        # A subflow's heartbeat costs a second of waiting at its end (measured); the night's own tells that it lives.
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            run_phase(begun, ledger, STEPS[phase].of(of) if of else STEPS[phase], *desk)

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
        if stage.name in branches.skipped(begun):
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
