"""A night that crashed is gone on with, a bounded number of times; one that lives is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events import emit_event
from prefect.events.worker import EventsWorker
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed, Crashed, Running

from blocks.automations import TAG
from flows import mend
from flows.history import forget
from tests.blocks.fleets import until


@flow
def sleeps() -> None:
    """Stands for a night: a run of a deployment that some process works on."""


@pytest.fixture
def client(prefect_harness, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mend, "_LOOK_EVERY_S", 0.1)
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def run(client: SyncPrefectClient) -> FlowRun:
    deployment = client.create_deployment(client.create_flow(sleeps), name="night", tags=[TAG])
    return client.create_flow_run_from_deployment(deployment, name="tonight", state=Running(), tags=[TAG])


def state(client: SyncPrefectClient, run: UUID) -> tuple[str | None, str | None]:
    found = client.read_flow_run(run).state
    assert found
    return found.name, found.message


def test_a_night_of_which_nothing_is_heard_is_resumed_and_again_but_not_for_ever(client, run, monkeypatch) -> None:
    monkeypatch.setattr(mend, "SILENT_S", 2)
    assert mend.mend(most=2) == ["tonight: resumed after a crash, 1/2"]
    assert state(client, run.id) == ("AwaitingRetry", "resumed after a crash, 1/2: no sign of life for 2 s")
    client.set_flow_run_state(run.id, Crashed(message="killed"), force=True)
    assert mend.mend(most=2) == ["tonight: resumed after a crash, 2/2"]
    assert mend.mend(most=2) == [], "it waits for a worker: nothing to mend"
    client.set_flow_run_state(run.id, Crashed(message="killed"), force=True)
    for _ in range(2):
        assert mend.mend(most=2) == ["tonight: not resumed again"]
    name, said = state(client, run.id)
    assert name == "Crashed"
    assert said == (
        "not resumed again: it crashed 3 times; press Retry on this page, or nightschool rerun. Last: killed"
    )
    client.delete_flow_run(run.id)


def test_old_runs_are_forgotten_and_what_runs_is_not(client, run) -> None:
    over = client.create_flow_run(sleeps, state=Completed())
    forget(datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(ObjectNotFound):
        client.read_flow_run(over.id)
    assert client.read_flow_run(run.id).id == run.id
    client.delete_flow_run(run.id)


def test_a_night_that_tells_that_it_lives_is_left_alone(client, run, monkeypatch) -> None:
    monkeypatch.setattr(mend, "SILENT_S", 3600)
    emit_event("prefect.flow-run.heartbeat", {"prefect.resource.id": f"prefect.flow-run.{run.id}"})
    EventsWorker.drain_all()
    until(lambda: mend._heard(client, run.id, run.created))
    assert mend.mend() == []
    assert client.read_flow_run(run.id).state_type == StateType.RUNNING
    client.delete_flow_run(run.id)
