"""From a report to one HTML page that needs no network, no script and no font of its own."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from nightschool.gates import interval, limit_shown, shown
from nightschool.report import (
    ablations,
    arena,
    critiques,
    ensemble,
    guessing,
    lessons,
    marks,
    quality,
    shares,
    student,
    tables,
    text,
    times_view,
    votes,
)
from nightschool.report.figures import Report
from nightschool.report.people import reviewed, spotted
from nightschool.report.terminal import packed
from nightschool.report.verdict import headline, stale, unbeaten

if TYPE_CHECKING:
    from nightschool.report.svg import Plot

_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
# A phone shows 358 pixels: a letter is 6.8 of them, space between columns 9; a cell breaks after nine letters or so.
_PHONE, _LETTER, _BETWEEN, _BREAKS = 358, 6.8, 9, 9
# Half of a desk's page, where intervals are not torn: 7.3 pixels a letter, 18 between columns.
_HALF, _DESK_LETTER, _DESK_BETWEEN = 455, 7.3, 18
# "(49.0% to 94.3%" of "80.0% (49.0% to 94.3%, n 10)", and "49.0% to 94.3%" where that is all.
_INTERVAL = re.compile(r"(\(?[+\u2212]?\d[\d.,]*(?:%| m?s)? to [+\u2212]?\d[\d.,]*\d(?:%| m?s)?\)?|\bn \d[\d,]*\))")
_MOON = "M17.3 12.6A7.6 7.6 0 0 1 7.4 2.7a7.9 7.9 0 1 0 9.9 9.9z"


def render(report: Report) -> str:
    """The whole page; parts that the night did not reach are left out, with a word where a reader would miss them.

    Texts of models are escaped by the template engine, and were made visible and cut when the report was made. The
    page's own policy forbids scripts, network and any style but the one that it carries.

    Source: issue 2, report.html.
    """
    night = report.night
    return framed(
        "page.html.j2",
        report=report,
        headline=headline(report),
        stale=stale(report),
        packed=packed,
        mark=_mark(report),
        took=(night.finished - night.started).total_seconds() if night.finished else None,
        failed_gates=sum(gate.fails for gate in report.gates),
        plots=plots_of(report),
        parts=_parts(report),
        **tables.view(report),
        **marks.view(report.marks),
        **votes.view(report.votes),
        **shares.view(report.shares),
        **critiques.view(report.critiques),
        **arena.view(report.arena),
        **quality.view(report.quality),
        **ensemble.view(report.ensemble),
        **lessons.view(report),
        **guessing.view(report.said),
        **student.view(report),
        **ablations.view(report),
        **times_view.view(report.times),
    )


def framed(template: str, **content: Any) -> str:
    """A page of ours from its template, with the style and the policy that all of them carry."""
    css = (_HERE / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    frame = {"css": Markup(css), "policy": _POLICY.format(digest=digest), "moon": _MOON}  # noqa: S704 - our own file
    return _templates().get_template(template).render(**frame, **content)


def plots_of(report: Report) -> dict[str, Plot | list[Plot] | list[Plot | None] | None]:
    """Every plot by its name; None or no list of what the night did not reach."""
    drawn = (report.stages, report.committee, report.votes, report.losses, report.latency, report.arena, report.times,
             report.ensemble)  # fmt: skip
    if not any(drawn):
        none = dict.fromkeys(("accuracy", "topics", "committee", "vote", "agreement", "latency", "arena", "ensemble"))
        return {**none, "losses": [], "times": []}
    # A second for matplotlib, which a night that only makes data has no use for.
    from nightschool.report import agreement, arena_plot, curves, ensemble_plot, plots, times_plot

    # A stage has one colour on the page; those that answer nothing come after the others.
    names = dict.fromkeys((*(stage.name for stage in report.stages), *report.losses))
    places = {name: place for place, name in enumerate(names)}
    curve = [
        curves.loss(stage, log, places[stage], report.turns.get(stage, ()), report.evaluated.get(stage))
        for stage, log in report.losses.items()
    ]
    return {
        "accuracy": plots.accuracy(report.stages, report.baselines) if report.stages else None,
        "topics": plots.topics(report.stages, report.topic_baselines),
        "committee": plots.committee(report.committee) if report.committee else None,
        "vote": plots.vote(report.committee) if report.committee else None,
        "agreement": agreement.curve(report.votes) if report.votes else None,
        "arena": arena_plot.players(report.arena) if report.arena else None,
        "ensemble": ensemble_plot.voters(report.ensemble) if report.ensemble else None,
        "losses": [plot for plot in curve if plot],
        "latency": curves.latency(report.latency) if report.latency else None,
        "times": [times_plot.times(one, place) for place, one in enumerate(report.times) if one.ways],
    }


def _parts(report: Report) -> list[tuple[str, str]]:
    """Anchors of the parts that this page has."""
    found = {
        ("rows", "Rows"): report.funnel,
        ("shares", "Classes"): report.shares,
        ("marks", "Right and wrong"): report.marks,
        ("committee", "Committee"): report.committee or report.votes,
        ("people", "People"): report.people,
        ("spot-check", "Spot check"): report.spot_check,
        ("critiques", "Critiques"): report.critiques,
        ("student", "Student"): report.stages or report.losses,
        ("drafts", "Drafts"): report.ablations or report.drafts,
        ("arena", "Arena"): report.arena,
        ("quality", "Question quality"): report.quality,
        ("ensemble", "Ensemble"): report.ensemble,
        ("time", "Time and memory"): report.phases or report.memory or report.latency or report.times,
        ("samples", "Sample rows"): report.samples,
        ("failures", "Failures"): report.failures,
        ("made", "How it was made"): True,
    }
    return [part for part, content in found.items() if content]


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters |= {
        "percent": text.percent,
        "points": text.points,
        "duration": text.duration,
        "size": text.size,
        "plain": text.plain,
        "metric": lambda value, metric: shown(metric, value),
        "sure": interval,
        "whole": _whole,
        "wide": _wide,
        "broad": _broad,
        "limit": lambda value, metric: limit_shown(metric, value),
        "quantity": lambda metric: text.plain(metric).removesuffix(" s"),
        "count": lambda n, thing: f"{n:,} {thing}{'' if n == 1 else 's'}",
        "arrows": _arrows,
        "moment": _moment,
        "ruling": tables.ruling,
        "reviewed": reviewed,
        "spotted": spotted,
    }
    return templates


def _arrows(line: str) -> str:
    """A line as a page has it: arrows, and no interval in brackets torn apart."""
    held = re.sub(r"\[[^\[\]]*\]", lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), line)
    return held.replace("->", "\N{RIGHTWARDS ARROW}")


def _whole(cell: str) -> Markup:
    """A table's cell whose interval is not torn apart where a desk's lines break."""
    return Markup(_INTERVAL.sub(r'<span class="sure">\1</span>', str(escape(cell))))  # noqa: S704 - it was escaped


def _wide(rows: Sequence[Sequence[object]]) -> bool:
    """Whether a phone has no room for these rows side by side, their head among them: it shows each by itself then."""
    columns = zip_longest(*rows, fillvalue="")
    return sum(_BETWEEN + _LETTER * max(min(len(str(cell)), _BREAKS) for cell in column) for column in columns) > _PHONE


def _broad(rows: Sequence[Sequence[object]]) -> bool:
    """Whether half of a desk's page has no room for these rows: they have its whole width then."""
    longest = [[_longest(str(cell)) for cell in column] for column in zip_longest(*rows, fillvalue="")]
    return sum(_DESK_BETWEEN + _DESK_LETTER * max(column) for column in longest) - _DESK_BETWEEN > _HALF


def _longest(cell: str) -> int:
    """Letters of the longest part of a cell that no line breaks."""
    whole = _INTERVAL.sub(lambda found: found[0].replace(" ", "_"), cell)
    return max(map(len, whole.split()), default=0)


def _mark(report: Report) -> str:
    """Beside the headline: gates that passed say nothing of a student that didn't learn."""
    if report.night.outcome != "passed":
        return "✗"
    return "\N{EN DASH}" if headline(report).endswith(("learn", "worse")) or unbeaten(report) else "✓"


def _moment(when: datetime) -> str:
    return f"{when.day} {when:%b %Y, %H:%M} {when.tzname() or ''}".strip()
