"""Prefect's artifacts for a night: what cannot be shown because the server is away never ends it.

Each of Prefect's functions makes a client of its own, which gives up at once where a server does not answer, while the
run itself waits for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

import httpx
from prefect import artifacts

P = ParamSpec("P")
R = TypeVar("R")

# A server that is started again is there within a minute.
_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_log = logging.getLogger(__name__)


def _patient(show: Callable[P, R]) -> Callable[P, R | None]:
    """Shows it, or gives up after a minute without a server; None then."""

    @wraps(show)
    def shown(*args: P.args, **kwargs: P.kwargs) -> R | None:
        for pause_s in _PAUSES_S:
            try:
                return show(*args, **kwargs)
            except httpx.TransportError:
                time.sleep(pause_s)
        _log.warning("Prefect's server is away: an artifact is not shown (%s)", kwargs.get("key"))
        return None

    return shown


create_link_artifact = _patient(artifacts.create_link_artifact)
create_image_artifact = _patient(artifacts.create_image_artifact)
create_markdown_artifact = _patient(artifacts.create_markdown_artifact)
create_progress_artifact = _patient(artifacts.create_progress_artifact)
create_table_artifact = _patient(artifacts.create_table_artifact)


def update_progress_artifact(artifact: UUID | None, progress: float, description: str) -> None:
    """Shows how far it is, if a server is there now to be told; the next time tells it as well."""
    try:
        if artifact is not None:
            artifacts.update_progress_artifact(artifact, progress=progress, description=description)
    except httpx.TransportError as err:
        _log.info("progress is not shown: %s", err)
