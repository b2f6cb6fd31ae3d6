"""Evenings on which Prefect's server begins a recipe's night by itself: put there, listed, removed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.prefect_server import HOST
from nightschool.errors import WorldError

DEPLOYMENT = "night/night"
_HERE = f"http://{HOST}:4200/api"


@dataclass(frozen=True, slots=True)
class Evenings:
    """A schedule: cron in a time zone, and the fields of the night's form that it fills in. `slug` is its name."""

    slug: str
    cron: str
    zone: str
    fields: Mapping[str, Any]
    active: bool = True


def put(one: Evenings) -> None:
    """Has the server begin nights so; a schedule of the same name is replaced.

    Raises:
        WorldError: no server answers, or it has no deployment of the night.
    """
    with _client() as (client, deployment):
        _remove(client, deployment, one.slug)
        cron = CronSchedule(cron=one.cron, timezone=one.zone)
        made = DeploymentScheduleCreate(schedule=cron, slug=one.slug, parameters=dict(one.fields), active=one.active)
        client.create_deployment_schedules(deployment, [made])


def listed() -> list[Evenings]:
    """All that the server begins by itself.

    Raises:
        WorldError: as `put`.
    """
    with _client() as (client, deployment):
        found = client.read_deployment_schedules(deployment)
    return [
        Evenings(one.slug or str(one.id), one.schedule.cron, one.schedule.timezone or "UTC", one.parameters, one.active)
        for one in found
        if isinstance(one.schedule, CronSchedule)
    ]


def remove(slug: str) -> bool:
    """Takes a schedule away; whether there was one.

    Raises:
        WorldError: as `put`.
    """
    with _client() as (client, deployment):
        return _remove(client, deployment, slug)


def _remove(client: SyncPrefectClient, deployment: Any, slug: str) -> bool:
    found = [one for one in client.read_deployment_schedules(deployment) if slug in (one.slug, str(one.id))]
    for one in found:
        client.delete_deployment_schedule(deployment, one.id)
    return bool(found)


@contextmanager
def _client() -> Iterator[tuple[SyncPrefectClient, Any]]:
    """The server that is configured, or this machine's; and the id of the night's deployment."""
    url = os.environ.get("PREFECT_API_URL") or PREFECT_API_URL.value() or _HERE
    try:
        with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
            try:
                deployment = client.read_deployment_by_name(DEPLOYMENT)
            except ObjectNotFound:
                raise WorldError(
                    f"the server at {url} knows no deployment {DEPLOYMENT}: make server puts it there"
                ) from None
            yield client, deployment.id
    except httpx.HTTPError as err:
        raise WorldError(f"Prefect's server does not answer at {url} ({err}): start it (make server)") from None
