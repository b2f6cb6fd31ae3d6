"""Progress of a running night: bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from nightschool.report.text import duration
from tasks import progress
from tasks.pace import describe_pace
from tasks.progress import Event

# A log of a long night is to be read: a phase's lines come ever more seldom.
_FIRST_LINE_S, _LAST_LINE_S, _SLOWER = 3.0, 60.0, 1.5
_WHAT_IS_LEFT = Column(ratio=1, no_wrap=True, overflow="ellipsis")
_MOST, _MOST_URGENT = 60, 400
_END_STYLES = {False: "green", True: "bold red"}


@contextmanager
def progress_shown(console: Console) -> Iterator[None]:
    """Shows every phase's progress on the console while inside."""
    with (_bars if console.is_terminal else _lines)(console):
        yield


@contextmanager
def _bars(console: Console) -> Iterator[None]:
    bars = Progress(
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(bar_width=24),
        _Counts(),
        _Times(),
        # What does not fit is cut here and nowhere else.
        TextColumn("{task.fields[note]}", markup=False, style="dim", table_column=_WHAT_IS_LEFT),
        expand=True,
        console=console,
        refresh_per_second=5,
    )
    rows: dict[str, TaskID] = {}
    lock = threading.Lock()

    def hear(event: Event) -> None:
        with lock:
            known = rows.get(event.phase)
            if known is None or (bars.tasks[known].finished and not event.finished):
                known = rows[event.phase] = bars.add_task(event.phase, total=None, note="", event=event)
            total = event.total or event.chunks_total
            done = event.done if event.total else event.chunks_done
            if event.finished:
                total, done = max(total, 1), max(total, 1)
            bars.update(known, total=total or None, completed=done, note=_short(event), event=event)
            if event.finished:
                bars.stop_task(known)
            elif event.urgent:
                # Whole, for there may be a command in it.
                bars.console.print(f"{event.phase:<10} {_short(event)}", markup=False, highlight=False, soft_wrap=True)

    with bars, progress.listening(hear):
        yield


class _Counts(ProgressColumn):
    """Rows and chunks."""

    def render(self, task: Task) -> Text:
        return Text(counts(task.fields["event"]))


class _Times(ProgressColumn):
    """Seconds gone, and those to go."""

    def render(self, task: Task) -> Text:
        event: Event = task.fields["event"]
        gone = event.seconds if event.finished else max(event.seconds, task.elapsed or 0.0)
        to_go = f", {_about(event.eta_s)} to go" if event.eta_s and not event.finished else ""
        return Text(f"{duration(gone)}{to_go}", style=_END_STYLES[event.gaps] if event.finished else "cyan")


@contextmanager
def _lines(console: Console) -> Iterator[None]:
    lock = threading.Lock()
    rhythm = _Rhythm()

    def hear(event: Event) -> None:
        with lock:
            if rhythm.is_due(event, time.monotonic()):
                console.print(line(event), soft_wrap=True)

    with progress.listening(hear):
        yield


class _Rhythm:
    """When a line is due: at every end, failure and urgent note, else after a time that grows while a phase goes on."""

    def __init__(self) -> None:
        self._phase, self._failed = "", 0
        self._last, self._wait_s = -math.inf, _FIRST_LINE_S

    def is_due(self, event: Event, now: float) -> bool:
        if event.phase != self._phase:
            self._phase, self._failed, self._wait_s = event.phase, 0, _FIRST_LINE_S
        told = event.finished or event.urgent or event.failed > self._failed
        if not told and now - self._last < self._wait_s:
            return False
        self._wait_s = _FIRST_LINE_S if told else min(_LAST_LINE_S, self._wait_s * _SLOWER)
        self._last, self._failed = now, event.failed
        return True


def line(event: Event) -> str:
    """An event as a plain line: "answers     120/400 rows, 3/8 chunks, 2 cached, 41.0 s, about 1 min 20 s to go"."""
    parts = [counts(event)]
    if event.finished:
        parts.append(f"{'NOT complete after' if event.gaps else 'done in'} {duration(event.seconds)}")
    else:
        parts.append(duration(event.seconds))
        parts += [f"{_about(event.eta_s)} to go"] if event.eta_s else []
    parts += [_short(event)]
    return f"{event.phase:<10}  {', '.join(filter(None, parts))}"


def counts(event: Event) -> str:
    """How much of a phase is done, in words; empty for one without rows and chunks."""
    counted = event.done or not event.finished  # some phases count no rows while they make their one chunk
    parts = [f"{event.done:,}/{event.total:,}"] if event.total and counted else []
    if event.chunks_total:
        parts.append(f"{event.chunks_done}/{event.chunks_total} chunks")
    parts += [f"{event.cached} cached"] if event.cached else []
    # Rows of a chunk that goes on; those of cached chunks are told by the line above.
    parts += [f"{event.reused:,} rows reused"] if event.reused and event.cached < event.chunks_done else []
    parts += [f"{event.failed} failed"] if event.failed else []
    return ", ".join(parts)


def _about(seconds: float) -> str:
    return f"about {duration(max(1.0, round(seconds)))}"


def _short(event: Event) -> str:
    """The pace and the note, as much as fits beside the rest."""
    note = " ".join(event.note.split())
    most = _MOST_URGENT if event.urgent else _MOST
    note = note if len(note) <= most else f"{note[: most - 1]}…"
    pace = describe_pace(event.pace, event.queued) if event.pace else ""
    return "; ".join(filter(None, [note, pace] if event.urgent else [pace, note]))
