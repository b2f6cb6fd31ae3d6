"""What Prefect keeps of nights that are over: removed when it is old. The nights themselves lie in the store."""

from __future__ import annotations

from datetime import datetime

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import TERMINAL_STATES
from prefect.exceptions import ObjectNotFound

# As many as the server tells at once.
_AT_ONCE = 200


def forget(before: datetime) -> int:
    """Removes runs that ended before this moment, with their tasks, states and logs; how many runs there were.

    Phases of nights count as runs. Artifacts and events go with the server's own hourly cleaning.
    """
    old = FlowRunFilter(
        end_time=FlowRunFilterEndTime.model_validate({"before_": before}),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(TERMINAL_STATES))),
    )
    count = 0
    with get_client(sync_client=True) as client:
        while runs := client.read_flow_runs(flow_run_filter=old, limit=_AT_ONCE):
            for run in runs:
                try:
                    client.delete_flow_run(run.id)
                    count += 1
                except ObjectNotFound:  # somebody else was faster
                    continue
    return count
