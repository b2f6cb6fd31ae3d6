"""Nights whose process ended without a word are gone on with, a bounded number of times."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter, EventResourceFilter
from prefect.states import Crashed
from pydantic import Field

from blocks.automations import SILENT_S, TAG
from flows.fields import titled

_LOOK_EVERY_S = 5.0
_Times = Annotated[Annotated[int, Field(ge=0)], titled("At most (times)")]
# Nobody waits any more for what crashed so long ago.
_OLD = timedelta(days=2)
_UNFINISHED = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_RESUMED = "resumed after a crash"
_GIVEN_UP = "not resumed again"


@flow(name="mend", flow_run_name="mend", persist_result=False)
def mend(most: _Times = 3) -> list[str]:
    """Goes on with nights that crashed; automations start it, and it changes nothing where there is nothing to mend.

    Args:
        most: How often one night is gone on with; after that it stays Crashed, and Retry on its page goes on with it.
    """
    with get_client(sync_client=True) as client:
        silent = _silent(client, _nights(client, StateType.RUNNING))
        for run in silent:
            client.set_flow_run_state(run.id, Crashed(message=f"no sign of life for {SILENT_S} s"), force=True)
        # Those that were just called crashed are among them.
        return [_resume(client, run, most) for run in _nights(client, StateType.CRASHED)]


def _nights(client: SyncPrefectClient, state: StateType) -> list[FlowRun]:
    wanted = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[TAG]), state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[state]))
    )
    old = datetime.now(UTC) - _OLD
    found = client.read_flow_runs(flow_run_filter=wanted)
    return [run for run in found if run.deployment_id and (run.end_time is None or run.end_time > old)]


def _silent(client: SyncPrefectClient, runs: Sequence[FlowRun]) -> list[FlowRun]:
    """Those of which nothing is heard for long enough; after the server itself was away they have time to be heard."""
    began = datetime.now(UTC)
    left = [run for run in runs if not _heard(client, run.id, began - timedelta(seconds=SILENT_S / 2))]
    while left and datetime.now(UTC) < began + timedelta(seconds=SILENT_S / 2):
        time.sleep(_LOOK_EVERY_S)
        left = [run for run in left if client.read_flow_run(run.id).state_type == StateType.RUNNING]
        left = [run for run in left if not _heard(client, run.id, began)]
    return left


def _heard(client: SyncPrefectClient, run: UUID, since: datetime) -> bool:
    wanted = EventFilter(
        occurred=EventOccurredFilter.model_validate({"since": since}),
        event=EventNameFilter(prefix=["prefect.flow-run."]),
        resource=EventResourceFilter(id=[f"prefect.flow-run.{run}"]),
    )
    return bool(client.read_events(filter=wanted, limit=1).events)


def _resume(client: SyncPrefectClient, run: FlowRun, most: int) -> str:
    """What came of it, in words."""
    bury(client, run.id)
    before = [state.message or "" for state in client.read_flow_run_states(run.id)]
    times = sum(message.startswith(_RESUMED) for message in before)
    why = (run.state.message if run.state else "") or "crashed"
    if times < most:
        state = State(type=StateType.SCHEDULED, name="AwaitingRetry", message=f"{_RESUMED}, {times + 1}/{most}: {why}")
        client.set_flow_run_state(run.id, state, force=False)
        return f"{run.name}: {_RESUMED}, {times + 1}/{most}"
    if not why.startswith(_GIVEN_UP):
        mend = "press Retry on this page, or nightschool rerun"
        client.set_flow_run_state(
            run.id, Crashed(message=f"{_GIVEN_UP}: it crashed {times + 1} times; {mend}. Last: {why}"), force=True
        )
    return f"{run.name}: {_GIVEN_UP}"


def bury(client: SyncPrefectClient, night: UUID) -> None:
    """Phases of a run that is gone are shown as running for ever otherwise, and its next try takes them for its own."""
    phases = FlowRunFilter(
        parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[night]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNFINISHED)),
    )
    for phase in client.read_flow_runs(flow_run_filter=phases):
        client.set_flow_run_state(phase.id, Crashed(message="its night ended"), force=True)
