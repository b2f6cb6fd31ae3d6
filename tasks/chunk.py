"""The one Prefect task: a chunk that is whole is `Cached`, any other is made and committed."""

from __future__ import annotations

import random

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Completed
from prefect.tasks import Task

from nightschool.chunks import Chunk
from nightschool.errors import BudgetSpent, DataError, RecipeError, Refused, Stopped
from tasks.apart import make_apart
from tasks.crew import make_by_crew
from tasks.making import Job, stopping
from tasks.step import Served

SKIPPED = "Skipped: deadline"


def world_failed(task: Task, run: TaskRun, state: State) -> bool:
    """Only what failed outside is worth another try: a bad recipe or bad data stays bad, spent money stays spent."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, (RecipeError, DataError, BudgetSpent, Refused, Stopped))


# Prefect 3.7.7 ignores retry_jitter_factor, so the jitter is drawn here, once a process.
@task(
    task_run_name="{chunk.label}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[2 * random.uniform(0.7, 1.3), 8 * random.uniform(0.7, 1.3)],
    retry_condition_fn=world_failed,
)
def make_chunk(
    place: str, night_name: str, stamp: str, chunk: Chunk, served: Served, *, apart: bool = False, late: bool = False
) -> State:
    """Makes one chunk of a night, or finds it made.

    Args:
        place: the store, a folder or a URL.
        stamp: identity of the night's recipe, see `Night.stamp`.
        served: endpoints of the models that the phase asks.
        apart: this is no process of the night's, and its state brings an account of what it did.
        late: the window closed before it was begun, and it is left alone.
    """
    job = Job(place, night_name, stamp, chunk, served)
    try:
        if late:
            raise Stopped
        if apart:
            outcome, account = make_apart(job)
            return Completed(name=outcome.name, message=outcome.message, data=account)
        outcome = make_by_crew(job)
    except Stopped:
        if not (late or stopping()):
            raise
        return Completed(name=SKIPPED, message="the window closed: what came until then is on file")
    return Completed(name=outcome.name, message=outcome.message)
