"""What a night leaves out, as people see it in the Prefect UI: by name, with the reason."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed


@task(task_run_name="{phase} of {name}", cache_policy=NO_CACHE)
def skip(phase: str, name: str, because: str) -> State:
    """Shows that a stage is not trained."""
    return Completed(name=f"Skipped: {because}", message=f"{phase} of {name} is left out behind {because}")
