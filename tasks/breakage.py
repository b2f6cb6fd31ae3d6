"""What broke in a run of a night, and the command that mends each thing."""

from __future__ import annotations

from nightschool.report.figures import Failure
from tasks.failures import mend
from tasks.ledger import Run
from tasks.night import Night
from tasks.steps import STEPS


def failures(night: Night, run: Run) -> tuple[Failure, ...]:
    """Phases with gaps, chunks that failed, or else what stopped the night."""
    found = [
        Failure(
            phase=one.name,
            error=f"{one.failed_rows:,} rows have no reply: nightschool failures {night.name} --phase {one.name}"
            f"{night.where}",
            command=mend(night, one.name),
        )
        for one in run.phases
        if one.failed_rows
    ]
    found += [
        Failure(
            phase=one.phase,
            chunk=one.chunk,
            error=one.error,
            command=f"nightschool rerun {night.name} --phase {one.phase} --chunk {one.chunk}{night.flags}",
        )
        for one in run.failures
    ]
    if run.stopped_by and not found and run.goes_on != "window":
        found.append(
            Failure(phase="night", error=run.stopped_by, command=f"nightschool rerun {night.name}{night.flags}")
        )
    return tuple(found)


def stopped_in(night: Night, run: Run) -> str | None:
    """The phase that ended the night, or else the one that would have come next."""
    done = [phase.name for phase in run.phases if phase.name in STEPS and not phase.stopped]
    order = list(STEPS)
    ahead = order[order.index(done[-1]) + 1 :] if done else order
    ended = [phase.name for phase in run.phases if phase.stopped]
    return next((phase for phase in (*ended, *ahead) if phase in ended or STEPS[phase].chunks(night)), None)
