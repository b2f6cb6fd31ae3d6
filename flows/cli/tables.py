"""From plans, states and checks to what a terminal shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from blocks.preflight.check import Check
from nightschool.report.text import duration
from nightschool.sources.survey import Survey
from tasks.failures import Loss
from tasks.plan import PhasePlan
from tasks.reuse import Verdict

if TYPE_CHECKING:
    from blocks.schedules import Evenings

_MOST_ROWS = 20
_WORDS = {"reuse": "green", "make": "cyan", "redo": "yellow", "refuse": "bold red"}
_OUTCOMES = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "bold red")}


def plan_table(
    phases: Sequence[PhasePlan], memory: Check, questions: Survey | None, window: Sequence[str] = ()
) -> RenderableType:
    """A night that has not begun: its order, what each phase would make, ask and take; and what its file holds."""
    table = _table("phase", "", "chunks", "requests", "tokens", "time", "because", right=range(2, 6))
    for phase in phases:
        word, counted, because = _verdict(phase.verdict)
        table.add_row(phase.verdict.phase, word, counted, _count(phase.requests), _count(phase.tokens),
                      _about(phase.seconds), because)  # fmt: skip
    table.add_section()
    chunks = sum(phase.verdict.chunks - phase.verdict.whole for phase in phases)
    asked = (sum(getattr(phase, count) for phase in phases) for count in ("requests", "tokens"))
    table.add_row("in all", "make", f"{chunks:,}", *map(_count, asked), _about(_sum_s(phases)), "")
    order = Text(" -> ".join(phase.verdict.phase for phase in phases))
    told = questions.lines if questions else []
    held = [Text(line if place else f"questions: {line}") for place, line in enumerate(told)]
    return Group(
        order,
        Text(),
        table,
        Text(),
        *held,
        *map(Text, window),
        _line(memory),
        Text("Nothing was started or written.", style="dim"),
    )


def reuse_table(verdicts: Sequence[Verdict]) -> RenderableType:
    """What a night that begins uses again, makes, and makes anew."""
    because = ["because"] if any(verdict.because for verdict in verdicts) else []
    table = _table("phase", "", "chunks", *because, right=(2,))
    for verdict in verdicts:
        table.add_row(verdict.phase, *_verdict(verdict)[: 2 + len(because)])
    return table


def _verdict(verdict: Verdict) -> tuple[Text, str, Text]:
    because = f"{verdict.because}{f': {verdict.mend}' if verdict.mend else ''}"
    return Text(verdict.word, style=_WORDS[verdict.word]), verdict.counted, Text(because)


def _sum_s(phases: Sequence[PhasePlan]) -> float | None:
    return None if any(phase.seconds is None for phase in phases) else sum(phase.seconds or 0 for phase in phases)


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"


def _about(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"~{duration(round(seconds))}" if seconds >= 1 else "-"


def nights_table(store: str, nights: Mapping[str, str]) -> RenderableType:
    """The nights of a store, each with its verdict."""
    if not nights:
        return Text(f"No nights in {store}. Begin one: nightschool run quickstart")
    table = _table("night", "verdict")
    for name, verdict in nights.items():
        table.add_row(name, verdict)
    return table


def schedules_table(found: Sequence[Evenings]) -> RenderableType:
    """What the server begins by itself, and when."""
    if not found:
        return Text("The server begins no night by itself. Have it: nightschool schedule RECIPE")
    table = _table("schedule", "cron", "zone", "recipe", "nights", "with")
    for one in found:
        given = one.fields
        parts = [given[name] for name in ("profile",) if given.get(name) not in (None, "none")]
        told = ", ".join([*parts, *given.get("sets", ()), *([] if one.active else ["paused"])])
        table.add_row(one.slug, one.cron, one.zone, str(given.get("recipe", "")), str(given.get("name", "")), told)
    return table


def failures_table(night: str, losses: Sequence[Loss], flags: str = "") -> RenderableType:
    """How many rows did not make it, by phase and reason; then the rows, those without a reply first.

    Args:
        flags: what a command must be given to mean this very night.
    """
    if not losses:
        return Text(f"Night {night}: every row made it.")
    counted = _table("phase", "reason", "rows", "", right=(2,))
    kinds = Counter((loss.phase, loss.reason, loss.failed) for loss in losses)
    for (phase, reason, failed), count in kinds.items():
        counted.add_row(phase, reason, f"{count:,}", Text("no reply", style="bold red") if failed else "judged")
    rows = _table("phase", "chunk", "row", "reason", "attempts", "last heard", right=(1, 4))
    for loss in sorted(losses, key=lambda loss: not loss.failed)[:_MOST_ROWS]:
        heard = " ".join((loss.text or loss.detail).split())[:120]
        rows.add_row(loss.phase, str(loss.chunk), loss.id, loss.reason, _count(loss.attempts), Text(heard))
    more = [f"{len(losses) - _MOST_ROWS:,} more rows: --json lists them all."] if len(losses) > _MOST_ROWS else []
    if any(loss.failed for loss in losses):
        more.append(f"Ask again for those without a reply: nightschool rerun {night} --failed{flags}")
    return Group(counted, Text(), rows, *(Text(line) for line in ["", *more] if more))


def checks_table(checks: Sequence[Check]) -> RenderableType:
    """One line for each check, and how to mend what is not well."""
    return Group(*(_line(check) for check in checks))


def _line(check: Check) -> Text:
    word, style = _OUTCOMES[check.outcome]
    line = Text.assemble((f"{word:<5}", style), f"{check.name}: {check.detail}")
    return line.append(f"\n     mend: {check.mend}", style="bold") if check.mend else line


def doctor_table(found: Mapping[str, Mapping[str, str]]) -> RenderableType:
    """Facts by group, as plain as a bug report needs them."""
    table = _table("", "", header=False)
    for group, facts in found.items():
        table.add_row(Text(group, style="bold"), "")
        for name, value in facts.items():
            table.add_row(f"  {name}", value)
    return table


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> RenderableType:
    """A table of the report's."""
    table = _table(*head)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _table(*names: str, right: Iterable[int] = (), header: bool = True) -> Table:
    table = Table(box=None, pad_edge=False, show_header=header, header_style="bold")
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place in right else "left", overflow="fold")
    return table
