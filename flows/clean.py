"""The disk freed of old nights, from Prefect's page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from prefect import flow
from pydantic import Field

from flows import fields as form
from flows.history import forget
from flows.showing import create_markdown_artifact
from nightschool.report.markdown import escaped
from nightschool.report.retention import told
from tasks.clean import look, remove

_Limit = Annotated[float, Field(ge=0)] | None
_Days = Annotated[_Limit, form.titled("Older than (days)")]
_Size = Annotated[_Limit, form.titled("At most (GB)")]
_Kept = Annotated[Sequence[form.NightName], form.titled("Nights to keep")]
_Really = Annotated[bool, form.titled("Really remove it")]


@flow(name="clean", flow_run_name="clean {store}", persist_result=False)
def clean(
    older_than_days: _Days = 60,
    at_most_gb: _Size = None,
    keep: _Kept = (),
    really: _Really = False,
    store: form.StoreName = "runs",
) -> str:
    """Says what of a store is old or too much, and removes it; never what a night that stays needs.

    Args:
        older_than_days: What nobody used for so many days goes, and Prefect's runs of before. None: age is no reason.
        at_most_gb: The oldest goes until the store is as small as this; with None there is no such limit.
        keep: Nights that stay whatever their age.
        really: Removes it. Without this the run only shows what would go.
        store: Folder of rows, models and nights.
    """
    choice = look(store, now=time.time(), older_than_days=older_than_days, at_most_gb=at_most_gb, keep=keep)
    lines = told(choice, time.time(), remove(store, choice) if really else None)
    if really and older_than_days is not None:
        gone = forget(datetime.now(UTC) - timedelta(days=older_than_days))
        lines.insert(0, f"{gone:,} old runs removed from Prefect's own history.")
    listed = "\n".join(f"- {escaped(line)}" for line in lines)
    create_markdown_artifact(listed, key="clean", description=lines[-1])
    return lines[-1]
