"""The morning: the report on disk, its page and its verdict in the Prefect UI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from blocks import pages
from flows.showing import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from nightschool.gates import refuse
from nightschool.report import times_view
from nightschool.report.ablations import artifact, described
from nightschool.report.figures import Report
from nightschool.report.images import images
from nightschool.report.markdown import parts
from nightschool.report.terminal import summary_lines
from tasks import progress
from tasks.ledger import Run
from tasks.night import Night
from tasks.report import publish


def morning(night: Night, run: Run, written: Callable[[Night, Run], Report] = publish) -> dict[str, Any]:
    """Writes the report of a night, whole or stopped half-way, and returns its figures.

    Args:
        written: makes the report and writes it.
    """
    counts = progress.track("report")

    @flow(name="report", flow_run_name=f"report of {night.name}")
    def report() -> str:
        found = written(night, run)
        page = str((night.dir / "report.html").resolve())
        if at := pages.shown(night.dir, night.store.place):
            create_link_artifact(
                link=f"{at}report.html", link_text="The report", key="report-page", description=str(page)
            )
        else:  # no browser opens a file from a page that came over http
            told = f"`nightschool report {night.name}{night.where} --open`"
            create_markdown_artifact(told, key="report-page", description=page)
        if found.ablations:
            create_table_artifact(
                table=artifact(found.ablations), key="ablations", description=described(found.ablations)
            )
        if rows := times_view.rows(found.times):
            create_table_artifact(table=rows, key="times", description="Seconds to first token, between, to the last")
        create_markdown_artifact(_markdown(found), key="report", description=found.night.verdict)
        for part, tables in parts(found).items():
            create_markdown_artifact(tables, key=f"report-{part}", description=f"{part} of {night.name}")
        for image in images(found):
            create_image_artifact(image.uri, key=f"plot-{image.name}", description=f"{image.title}: {image.caption}")
        return found.model_dump_json()

    figures = Report.model_validate_json(report())
    counts.finish(str(night.dir / "report.html"))
    return figures.model_dump(mode="json")


def ended(figures: dict[str, Any]) -> dict[str, Any] | State:
    """What Prefect shows of a night that is done: failed where a gate failed it, and by name where one warned.

    Raises:
        GateFailed: names the gates that did not hold.
    """
    report = Report.model_validate(figures)
    refuse(report.gates)
    if warned := [gate.name for gate in report.gates if not gate.passed]:
        return Completed(name="CompletedWithWarnings", message=f"did not hold: {', '.join(warned)}", data=figures)
    return figures


def _markdown(found: Report) -> str:
    first = f"**{found.given_up}**\n\n" if found.given_up else ""
    lines = "\n".join(summary_lines(found)[2 if first else 1 :])
    return f"{first}## {found.night.verdict}\n\n```\n{lines}\n```\n"
