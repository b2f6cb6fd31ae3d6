"""From a funnel to what a night that only makes data leaves to teach from, in a line."""

from __future__ import annotations

from nightschool.report.figures import Report
from nightschool.report.text import percent

_RULED = ("agreed", "balanced")


def kept(report: Report) -> str | None:
    """How many rows came through, of how many questions; None where a student learns, or nobody ruled."""
    steps = {step.step: step.total for step in report.funnel}
    if report.night.learns or report.night.stopped_in or not steps.keys() & set(_RULED) or not steps.get("asked"):
        return None
    last = report.funnel[-1].total
    return f"{last:,} of {steps['asked']:,} questions to teach from ({percent(last / steps['asked'])})"


def export(report: Report) -> list[str]:
    """How to get them out; nothing if there are none."""
    night = report.night
    rows = "verl --phase critique" if report.critiques else "trl"
    command = f"$ nightschool export {night.name} --format {rows}{night.where}"
    return [command] if kept(report) and report.funnel[-1].total else []
