"""A night gone through in its window: once, and again from the top whenever it has given something up."""

from __future__ import annotations

from collections.abc import Callable

from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.states import Completed

from flows.phase import run_phase
from nightschool.errors import NightError
from tasks import given_up, holding, progress
from tasks.ledger import Ledger, goes_on
from tasks.serving import Desk
from tasks.shift import Replanned, Shift
from tasks.span import Span
from tasks.steps import STEPS

STOPPED = "Stopped: deadline"


def went_through(shift: Shift, phases: Callable[[], None]) -> None:
    """Goes through the phases of `shift.night`, without what it gives up on the way.

    Raises:
        WindowClosed: the window closed before it was done.
        NightError: as the phases do.
    """
    shift.settle()
    _say(shift)
    with shift.watched():
        while True:
            try:
                phases()
                return
            except Replanned:
                _say(shift)
            except NightError as err:
                if shift.left_s <= 0 and goes_on(err):
                    raise shift.closed() from err
                raise


def runner(shift: Shift, ledger: Ledger, span: Span) -> Callable[..., None]:
    """What runs a phase by its name, with the desk that serves it, if the night needs it still.

    Raises:
        WindowClosed, Replanned: it is not the time for it.
        Reached: the run was to end before the night does.
        NightError: as the phase does.
    """

    def run(phase: str, *desk: Desk, of: str = "") -> None:
        step = STEPS[phase].of(of) if of else STEPS[phase]
        span.enter(phase, of)
        if shift.passed(step):
            return
        shift.look(phase)
        # A subflow's heartbeat costs a second of waiting at its end (measured); the night's own tells that it lives.
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            run_phase(shift.night, ledger, step, *desk)
        holding.hold(shift.night)
        span.leave(phase, of)

    return run


def comes_too_late(shift: Shift) -> State | None:
    """How the run ends at once if the scheduler, and no person, begins it while its window is shut."""
    context = FlowRunContext.get()
    scheduled = bool(context and context.flow_run and context.flow_run.auto_scheduled)
    return Completed(name="Skipped: window", message=shift.lines()[0]) if scheduled and shift.outside else None


def _say(shift: Shift) -> None:
    lines = shift.lines()
    if not lines:
        return
    first = given_up.given_up(shift.night.dir).line
    lines = [*([first] if first else []), *lines]
    progress.track("window").finish("; ".join(lines))
    create_markdown_artifact("\n\n".join(lines), key="window", description=lines[-1])
