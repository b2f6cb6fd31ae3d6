"""Commands that run a night or show its report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blocks.places import open_store
from flows.cli.by_itself import Ready
from flows.cli.live import progress_shown
from flows.cli.output import out, say, write_json
from flows.cli.stopping import stoppable
from flows.cli.tables import reuse_table
from nightschool.errors import GateFailed, NightError, RecipeError
from nightschool.report.figures import Report
from tasks.night import Night
from tasks.redo import ahead, ask_again, forget
from tasks.reports import report_of
from tasks.reuse import accept_stale, refuse, reuse
from tasks.steps import STEPS

SUMMARY = {"night", "what_next", "gates", "stages", "committee", "phases", "requests", "failures", "accepted"}


def run_night(night: Night, recipe: str, profile: str | None, sets: Sequence[str], *, ready: Ready) -> Report:
    """Run it to its report, with progress on the screen."""
    with stoppable(), progress_shown(say), ready(night.dir):
        from flows.night import night as flow

        with suppress(GateFailed):  # the report is on disk like any other, and says which
            flow(recipe, profile or "none", list(sets), night.name, list(night.accepted))
        return read_report(night.store.place, night.name)[0]


def say_verdicts(night: Night) -> None:
    """Says aloud what is used again, what is made, and what is made anew because of what.

    Raises:
        Refused: going on would be wrong.
        WorldError: the night is running already.
    """
    with night.alone():
        verdicts = reuse(night.at_a_glance)
    say.print(reuse_table(verdicts))
    refuse(verdicts)


@dataclass(frozen=True, slots=True)
class Back:
    """What of a night is meant to be made again, as the command line has it."""

    phase: str | None = None
    chunk: int | None = None
    fresh: bool = False
    failed: bool = False
    reason: str | None = None
    accept_stale: tuple[str, ...] = ()


def rerun_night(store: str, name: str, back: Back, *, ready: Ready) -> tuple[Report, Path]:
    """Run a night again by its own recipe, after telling what that makes of what was named.

    The report comes with where its page is.

    Raises:
        RecipeError: there is no such night, phase, chunk or reason; a chunk is named without its phase.
    """
    if back.phase is None and (back.fresh or back.chunk is not None):
        raise RecipeError("which phase is meant?", field="--phase", allowed=", ".join(STEPS))
    if back.failed and (back.fresh or back.chunk is not None):
        raise RecipeError("single rows are asked for: it goes with --phase and --reason only", field="--failed")
    if back.phase in back.accept_stale and (back.fresh or back.failed):
        raise RecipeError("rows are accepted as they are or made again, not both", field="--accept-stale")
    night = accept_stale(Night.open(store, name).as_written, back.accept_stale)
    with night.alone():
        verdicts = reuse(night.at_a_glance)
        if any(verdict.because for verdict in verdicts):
            say.print(reuse_table(verdicts))
        refuse(verdicts)
        say.print(_told(night, back), soft_wrap=True)
    report = run_night(night, str(night.dir / "recipe.resolved.yaml"), None, [f"store={store}"], ready=ready)
    return report, night.dir / "report.html"


def _told(night: Night, back: Back) -> str:
    if back.failed:
        counts = ask_again(night, back.phase, back.reason)
        lines = [f"{count:,} rows of {phase} will be asked again." for phase, count in counts.items()]
        return "\n".join(lines) or "No row failed: there is none to ask again."
    phase, chunk = back.phase, back.chunk
    if phase is None:
        return f"Night {night.name} goes on."
    if back.fresh:
        return f"{_chunks(forget(night, phase, chunk))} of {phase} will be made anew, and what depends on them."
    found = ahead(night, phase, chunk)
    lines = [f"{_chunks(found.whole)} of {phase} left alone: whole already (--fresh makes it anew)."]
    lines[1:] = [f"{_chunks(found.missing)} of {phase} to make; {found.on_file:,} replies are on file."]
    lines[2:] = [f"{_chunks(found.others)} of {phase} to make beside that: the night needs all."]
    counts = (found.whole, found.missing, found.others)
    return "\n".join(line for line, count in zip(lines, counts, strict=True) if count)


def _chunks(count: int) -> str:
    return f"{count} {'chunk' if count == 1 else 'chunks'}"


def verdicts(store: str) -> dict[str, str]:
    """The nights of a store, each with its report's verdict."""
    found: dict[str, str] = {}
    for name in open_store(store).nights():
        try:
            found[name] = read_report(store, name)[0].night.verdict
        except NightError:
            found[name] = "no report yet"
    return found


def read_report(store: str, name: str) -> tuple[Report, Path]:
    """The figures of a night that has a report, and where its page is.

    Raises:
        RecipeError: there is no such night.
        WorldError: it has no report yet.
        DataError: its report is none.
    """
    night = Night.open(store, name)
    return report_of(night), night.dir / "report.html"


def show_report(report: Report, page: Path, *, json: bool) -> None:
    """A few lines for a person and where the page is, or one line for a program."""
    if json:
        write_json({**report.model_dump(mode="json", include=SUMMARY), "page": str(page)}, indent=False)
        return
    from nightschool.report.terminal import summary_lines  # scipy, which may wait until all was asked

    out.print("\n".join(["", *summary_lines(report), "", f"  The whole report: {page}"]), soft_wrap=True)
