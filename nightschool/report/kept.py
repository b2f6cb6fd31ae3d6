"""From a funnel to how many rows came through: of a night that only makes data in a line, for gates in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nightschool.report.figures import Funnel, Report
from nightschool.report.text import percent

_RULED = ("agreed", "balanced")
# Steps that are no part of the way from a question to a row that is taught.
_BESIDE = ("written", "valid", "merged", "judged", "trained")


class Through(NamedTuple):
    """Questions that were asked, those with an accepted answer, rows that are taught, a copy being none; None where the
    night has not come so far."""

    asked: int | None
    accepted: int | None
    taught: int | None


def came_through(funnel: Sequence[Funnel]) -> Through:
    """How many rows of a night came how far."""
    steps = {one.step: one for one in funnel if one.step not in _BESIDE and not one.step.startswith("solved by")}
    asked, ruled = steps.get("asked"), steps.get("reviewed") or steps.get("agreed")
    if ruled is None:
        return Through(asked and asked.total, None, None)
    last = list(steps.values())[-1]
    if last.step == "balanced":
        before = list(steps.values())[-2]
        return Through(asked and asked.total, ruled.total, before.total - sum(last.dropped.values()))
    return Through(asked and asked.total, ruled.total, last.total)


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
