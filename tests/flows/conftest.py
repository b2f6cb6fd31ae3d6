"""Runs a night's first half through its phases."""

from __future__ import annotations

from prefect import flow

from flows.phase import run_phase
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.serving import teachers
from tasks.steps import STEPS


def teach(night: Night, *phases: str) -> Ledger:
    """Runs the named phases of a night (all that need no student by default); the ledger says what it took."""
    night.begin()
    ledger = Ledger(night.dir)

    @flow(name="first half")
    def first_half() -> None:
        with teachers(night, ledger) as served:
            for phase in phases or ("questions", "pool", "answers", "committee", "balance"):
                run_phase(night, ledger, STEPS[phase], served if phase in ("questions", "answers") else None)

    first_half()
    return ledger
