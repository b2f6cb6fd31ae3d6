"""Commands that run a night or show its report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from flows.cli.by_itself import Ready
from flows.cli.live import progress_shown
from flows.cli.output import out, say, tell, write_json
from flows.cli.tables import reuse_table
from flows.stopping import stoppable
from nightschool.errors import GateFailed, WindowClosed
from nightschool.report.figures import Report
from tasks.ledger import last_run
from tasks.night import Night
from tasks.redo import Back, go_back
from tasks.redo import refuse as refuse_back
from tasks.reports import report_of
from tasks.reuse import accept_stale, refuse, reuse
from tasks.shift import held
from tasks.span import Span

SUMMARY = {
    "night",
    "given_up",
    "what_next",
    "gates",
    "stages",
    "committee",
    "phases",
    "requests",
    "failures",
    "accepted",
}


def run_night(
    night: Night, recipe: str, profile: str | None, sets: Sequence[str], span: Span, *, ready: Ready
) -> Report:
    """Run this part of it to its report, with progress on the screen."""
    with stoppable(tell), progress_shown(say), ready(night.dir):
        from flows import fields
        from flows.night import night as flow

        with suppress(GateFailed):  # the report is on disk like any other, and says which
            flow(
                recipe,
                profile or fields.NO_PROFILE,
                list(sets),
                night.name,
                span.first or fields.BEGINNING,
                span.last or fields.END,
                list(night.accepted),
            )
        return read_report(night.store.place, night.name)[0]


def say_verdicts(night: Night, span: Span) -> None:
    """Says aloud what is used again, what is made, whether that fits its window, and what is made anew because of what.

    Raises:
        Refused: going on would be wrong.
        WorldError: the night is running already.
    """
    with night.alone():
        verdicts = reuse(night.at_a_glance)
    say.print(reuse_table(verdicts))
    refuse(verdicts)
    span.refuse(night)
    for line in held(night):
        say.print(line, soft_wrap=True)


def refuse_ended(night: Night, report: Report) -> None:
    """Ends the command as one whose night is not done, or not well.

    Raises:
        WindowClosed: its window closed before it was done.
        GateFailed: a gate did not hold.
    """
    from nightschool.gates import refuse as refuse_gates  # scipy, which may wait until all is done

    run = last_run(night.dir)
    if run.goes_on == "window" and run.stopped_by:
        raise WindowClosed(run.stopped_by)
    refuse_gates(report.gates)


def rerun_night(store: str, name: str, back: Back, last: str | None, *, ready: Ready) -> tuple[Report, Path]:
    """Run a night again by its own recipe, after telling what that makes of what was named.

    The report comes with where its page is.

    Args:
        last: the phase to end behind; the night's end if None.

    Raises:
        RecipeError: there is no such night, phase, chunk or reason; a chunk is named without its phase.
    """
    refuse_back(back)
    night = accept_stale(Night.open(store, name).as_written, back.accept_stale)
    span = Span(night.recipe, None, last)
    with night.alone():
        verdicts = reuse(night.at_a_glance)
        if any(verdict.because for verdict in verdicts):
            say.print(reuse_table(verdicts))
        refuse(verdicts)
        say.print(go_back(night, back), soft_wrap=True)
    recipe = str(night.dir / "recipe.resolved.yaml")
    return run_night(night, recipe, None, [f"store={store}"], span, ready=ready), night.dir / "report.html"


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
