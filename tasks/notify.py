"""Telling people: a message that cannot be sent is told, and fails nothing."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from blocks.notifier import send
from nightschool.errors import NightError
from tasks import progress


@task(task_run_name="tell {recipient}", cache_policy=NO_CACHE)
def tell(recipient: str, subject: str, body: str) -> State:
    """Sends a message to a block or to what a variable holds; the state is called `Sent` or `NotSent`."""
    try:
        send(recipient, subject, body)
    except NightError as err:
        get_run_logger().warning("not sent: %s", err)
        progress.notice(f"not sent: {err}", urgent=True)
        return Completed(name="NotSent", message=str(err))
    return Completed(name="Sent", message=subject)
