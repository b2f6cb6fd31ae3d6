"""One chunk of a night, or one phase, made again; then the night goes on as far as it is told to."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from flows import fields as form
from flows.night import night as whole
from tasks.night import Night
from tasks.redo import Back, go_back
from tasks.reuse import refuse, reuse

_Chunk = Annotated[Annotated[int, Field(ge=0)] | None, form.titled("Chunk")]
_Fresh = Annotated[bool, form.titled("Make it anew")]


def _run_name() -> str:
    given = flow_run.parameters
    chunk = given.get("chunk")
    which = "" if chunk is None else f", chunk {chunk}"
    return f"{given.get('phase', '')} of {given.get('night', '')}{which}"


@flow(name="rerun-chunk", flow_run_name=_run_name, persist_result=False)
def rerun_chunk(
    night: form.NightName,
    phase: form.PhaseName,
    chunk: _Chunk = None,
    fresh: _Fresh = False,
    until_phase: form.UntilPhase = form.END,
    store: form.StoreName = "runs",
) -> dict[str, Any] | State:
    """Makes one chunk of a night again, and what depends on it; what is whole and good is not paid twice.

    Args:
        night: The night's name, as its report and `nightschool status` have it.
        phase: The phase that the chunk is of.
        chunk: Its number, as the table of chunks and the grid count them, from 0; with None, all of the phase.
        fresh: Makes it anew although it is whole. It is paid again.
        until_phase: Makes nothing after this phase.
        store: Folder of rows, models and nights, or the URL of a shared one.
    """
    begun = Night.open(store, night).as_written
    with begun.alone():
        refuse(reuse(begun.at_a_glance))
        # A Retry of this run goes on: what was made anew the first time is not forgotten again.
        again = fresh and flow_run.run_count < 2
        get_run_logger().info(go_back(begun, Back(phase, chunk, fresh=again)))
    recipe = str(begun.dir / "recipe.resolved.yaml")
    return whole.fn(recipe, sets=[f"store={store}"], name=night, until_phase=until_phase)
