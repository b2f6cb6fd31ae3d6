"""From a plan's claims to what a terminal shows: beside the arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from nightschool.claims import Held, Work
from nightschool.report.text import duration

_HEAD = ("the plan's", "claims", "line", "by its own numbers", "this night at its rate", "as measured here")


def claims_table(plan: str, found: Sequence[Held]) -> RenderableType:
    """What a plan claims of its time, what its own numbers come to, and what this night's do."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(_HEAD):
        table.add_column(name, justify="right" if place == 2 else "left", overflow="fold")
    for one in found:
        claimed = _span(one.claimed_s) if one.claimed_s else "no time"
        table.add_row(one.about, claimed, str(one.line), _own(one), _night(one), _measured(one))
    return Group(Text(), Text(f"What plan {plan} claims, beside the arithmetic:"), table)


def _own(one: Held) -> Text:
    """What the plan's numbers come to, and whether that is what it claims."""
    lines = [_span(one.own_s)] if one.own_s else []
    lines += [_work(one.work)] if one.work else []
    if one.work and one.implied_per_s:
        lines.append(f"the claim comes to {_rate(one.implied_per_s, one.work.unit)}")
    if one.work and one.implied_units:
        lines.append(f"the claim comes to {_range(one.implied_units)} {one.work.unit}")
    if one.times and not one.agrees:
        lines.append(f"it claims {one.times:.2g} times that")
    shown = Text("\n".join([*lines, *([one.note] if one.note else [])] or ["-"]))
    if one.agrees is False:
        shown.stylize("yellow", 0, len(lines[0]))
    return shown


def _work(work: Work) -> str:
    many, each = (f"{_range(work.count)}" if work.count else ""), _range(work.each)
    if work.unit == "tokens":
        much = f"{many} x {each} tokens"
    else:
        much = f"{many or 'no number of'} {work.unit}{f' x {each}' if work.each != (1.0, 1.0) else ''}"
    return f"{much}, {_rate(work.rate, work.unit) if work.rate else 'no rate named'}"


def _rate(per_s: tuple[float, float], unit: str) -> str:
    """Units a second, or seconds for one where it takes longer."""
    if per_s[1] < 1:
        return f"{_range((1 / per_s[1], 1 / per_s[0]))} s each"
    return f"{_range(per_s)} {unit} a second"


def _night(one: Held) -> Text:
    if not one.phases:
        return Text("-")
    asked = f"{one.units:,.0f} {one.work.unit}" if one.work and one.units else ""
    if one.at_its_rate_s:
        return Text(f"{_span(one.at_its_rate_s)}\n{asked} at most")
    return Text("\n".join(filter(None, ["unknown: no rate named", asked])))


def _measured(one: Held) -> Text:
    if not one.phases:
        return Text("-")
    return Text("unknown" if one.measured_s is None else f"~{duration(one.measured_s)}\n{one.basis}")


def _span(seconds: tuple[float, float]) -> str:
    low, high = duration(seconds[0]), duration(seconds[1])
    return low if low == high else f"{low} to {high}"


def _range(span: tuple[float, float]) -> str:
    low, high = (f"{value:,.0f}" if value >= 10 else f"{value:.2g}" for value in span)
    return low if low == high else f"{low} to {high}"
