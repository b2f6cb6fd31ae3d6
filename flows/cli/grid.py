"""From where a night stands to a grid of cells that a person reads at one look."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from math import ceil

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from flows.cli.output import out
from nightschool.report.text import duration
from tasks.status import ChunkStatus, NightStatus, PhaseStatus

# The worst first: a cell that stands for several chunks shows the first of these that one of them is in.
_MARKS = {
    "failed": ("✗", "bold red"),
    "gaps": ("◪", "bold yellow"),
    "running": ("▶", "bold cyan"),
    "begun": ("▪", "magenta"),
    "missing": ("·", "dim"),
    "made": ("■", "green"),
}
_MADE = ("made", "gaps")
_PER_LINE, _PER_GROUP, _MOST_LINES = 100, 10, 12
_MOST_DETAILS = 10
_EVERY_S = 1.0


def view(found: NightStatus) -> RenderableType:
    """All phases, or every chunk of the one that was asked for."""
    return _phase(found) if len(found.phases) == 1 else _night(found)


def follow(look: Callable[[], NightStatus]) -> None:
    """Keeps the view on the screen until the night no longer runs."""
    with Live(console=out, auto_refresh=False) as live:
        while True:
            began = time.monotonic()
            found = look()
            live.update(view(found), refresh=True)
            if not found.running:
                return
            # Looking must not take the night's time: at most a tenth of a core.
            time.sleep(max(_EVERY_S, 9 * (time.monotonic() - began)))


def _night(found: NightStatus) -> RenderableType:
    """Figures of every phase, a cell for every chunk, and what failed with the command that mends it."""
    table = _table("", "phase", "chunks", "rows", "dropped", "failed", "rows/s", "time", "to go", right=range(2, 9))
    for phase in found.phases:
        table.add_row(_worst(phase.chunks), phase.phase, *_figures(phase))
    states = Counter(chunk.state for phase in found.phases for chunk in phase.chunks)
    legend = Text("  ").join(
        Text.assemble(_MARKS[state], f" {states[state]:,} {state}") for state in _MARKS if states[state]
    )
    cells = [part for phase in found.phases if len(phase.chunks) > 1 for part in _cells(phase)]
    title = Text.assemble("Night ", (found.night, "bold"), f": {_now(found)}")
    return Group(title, Text(), table, Text(), *cells, legend, *_details(found))


def _now(found: NightStatus) -> str:
    if found.running:
        return "it waits for its turn at the devices" if found.queued else "it runs"
    ended = f"; its last run ended early: {_one_line(found.stopped_by)}" if found.stopped_by else ""
    return f"it does not run now{ended}"


def _phase(found: NightStatus) -> RenderableType:
    [phase] = found.phases
    table = _table(
        "", "chunk", "what", "rows", "dropped", "failed", "rows/s", "time", "tries", "error", right=range(3, 9)
    )
    for chunk in phase.chunks:
        rows = f"{chunk.rows:,}" if chunk.state in _MADE else f"{chunk.rows:,}/{chunk.total:,}"
        lost = _count(chunk.dropped - chunk.failed), _count(chunk.failed)
        figures = *lost, _rate(chunk.rate), _time(chunk.seconds), _count(chunk.tries)
        error = Text(_one_line(chunk.error))
        table.add_row(Text(*_MARKS[chunk.state]), str(chunk.index), chunk.label, rows, *figures, error)
    return Group(Text(f"Night {found.night}, {phase.phase}"), Text(), table)


def _figures(phase: PhaseStatus) -> list[str]:
    made = sum(chunk.state in _MADE for chunk in phase.chunks)
    rows, total = sum(chunk.rows for chunk in phase.chunks), sum(chunk.total for chunk in phase.chunks)
    unfinished = any(chunk.state not in _MADE for chunk in phase.chunks)
    return [
        f"{made:,}/{len(phase.chunks):,}" if phase.chunks else "-",
        f"{rows:,}/{total:,}" if unfinished and total else _count(rows),
        _count(sum(chunk.dropped - chunk.failed for chunk in phase.chunks)),
        _count(sum(chunk.failed for chunk in phase.chunks)),
        _rate(phase.rate) if total else "-",
        _time(phase.seconds or sum(chunk.seconds or 0 for chunk in phase.chunks if chunk.state in _MADE)),
        f"about {duration(max(1.0, round(phase.eta_s)))}" if phase.eta_s else "",
    ]


def _cells(phase: PhaseStatus) -> list[Text]:
    each = ceil(len(phase.chunks) / (_PER_LINE * _MOST_LINES))
    parts = [phase.chunks[start : start + each] for start in range(0, len(phase.chunks), each)]
    name = phase.phase if each == 1 else f"{phase.phase} ({each} chunks a cell)"
    line, lines = Text(), [Text(name, style="bold")]
    for place, part in enumerate(parts):
        if place % _PER_LINE == 0:
            line = Text(f"{place * each:>6}  ", style="dim")
            lines.append(line)
        elif place % _PER_GROUP == 0:
            line.append(" ")
        line.append(_worst(part))
    return [*lines, Text()]


def _worst(chunks: Sequence[ChunkStatus]) -> Text:
    states = {chunk.state for chunk in chunks}
    return next((Text(*_MARKS[state]) for state in _MARKS if state in states), Text(" "))


def _details(found: NightStatus) -> list[Text]:
    """Chunks that failed, were cut off or are being made; the first few of each."""
    lines: list[Text] = []
    for state in ("failed", "begun", "running"):
        those = [(phase.phase, chunk) for phase in found.phases for chunk in phase.chunks if chunk.state == state]
        for phase, chunk in those[:_MOST_DETAILS]:
            lines.append(Text.assemble(_MARKS[state], f" {_told(chunk)}"))
            if state != "running":
                lines.append(
                    Text(f"  nightschool rerun {found.night} --phase {phase} --chunk {chunk.index}{found.flags}")
                )
        if len(those) > _MOST_DETAILS:
            lines.append(Text(f"  and {len(those) - _MOST_DETAILS:,} more that are {state}"))
    for phase in found.phases:
        if failed := sum(chunk.failed for chunk in phase.chunks):
            mend = f"nightschool rerun {found.night} --failed --phase {phase.phase}{found.flags}"
            lines.append(Text.assemble(_MARKS["gaps"], f" {phase.phase}: {failed:,} rows have no reply"))
            which = f"nightschool failures {found.night} --phase {phase.phase}{found.where}"
            lines.append(Text(f"  {which}\n  {mend}"))
    if found.waiting:
        lines.append(Text.assemble(("?", "bold magenta"), f" {found.waiting:,} rows wait for a person"))
        lines.append(Text(f"  nightschool review {found.night}{found.where}"))
    return [Text(), *lines] if lines else []


def _told(chunk: ChunkStatus) -> str:
    parts = [f"{chunk.rows:,}/{chunk.total:,} rows"] if chunk.total else []
    parts += [f"{_rate(chunk.rate)} rows/s"] if chunk.rate else []
    parts += [f"try {chunk.tries}"] if chunk.tries > 1 else []
    parts += [_one_line(chunk.error)] if chunk.error else []
    return ", ".join([f"{chunk.index}, {chunk.label}: {chunk.state}", *parts])


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"


def _time(seconds: float | None) -> str:
    return duration(seconds) if seconds else "-"


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())[:300]


def _table(*names: str, right: Sequence[int]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place in right else "left", overflow="fold")
    return table
