"""The one Prefect task: a chunk that is whole is `Cached`, any other is made and committed."""

from __future__ import annotations

import random
import time

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Completed
from prefect.tasks import Task

from nightschool.chunks import Chunk
from nightschool.errors import BudgetSpent, DataError, RecipeError, Refused
from tasks import progress
from tasks.failures import failed_rows
from tasks.night import opened
from tasks.step import Served
from tasks.steps import STEPS
from tasks.tries import Try


def world_failed(task: Task, run: TaskRun, state: State) -> bool:
    """Only what failed outside is worth another try: a bad recipe or bad data stays bad, spent money stays spent."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, (RecipeError, DataError, BudgetSpent, Refused))


# Prefect 3.7.7 ignores retry_jitter_factor, so the jitter is drawn here, once a process.
@task(
    task_run_name="{chunk.label}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[2 * random.uniform(0.7, 1.3), 8 * random.uniform(0.7, 1.3)],
    retry_condition_fn=world_failed,
)
def make_chunk(place: str, night_name: str, stamp: str, chunk: Chunk, served: Served) -> State:
    """Makes one chunk of a night, or finds it made.

    Args:
        place: the store, a folder or a URL.
        stamp: identity of the night's recipe, see `Night.stamp`.
        served: endpoints of the models that the phase asks.
    """
    night = opened(place, night_name, stamp)
    counts = progress.tracker(chunk.phase)
    with night.store.lock(chunk, lambda who: counts.say(f"{chunk.label} is being made by {who}: waiting")):
        found = night.store.manifest(chunk)
        if found:
            counts.rows(chunk.rows, reused=True)
            return Completed(name="Cached", message=f"{found.rows} rows were there already")
        if chunk.key in night.pins.values():
            raise Refused("an older recipe made this phase, which was accepted: nothing new is made under it")
        night.store.reopen(chunk)
        began = time.monotonic()
        with Try(night, chunk):
            made = STEPS[chunk.phase].make(night, chunk, served)
            manifest = night.store.commit(
                chunk,
                rows=made.rows,
                dropped=made.dropped,
                figures={"seconds": time.monotonic() - began, "part": chunk.part, **made.figures},
                files=made.files,
            )
    dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(manifest.dropped.items()))
    name = "CompletedWithGaps" if failed_rows([manifest]) else "Completed"
    return Completed(name=name, message=f"{manifest.rows} rows kept" + (f"; dropped: {dropped}" if dropped else ""))
