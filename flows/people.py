"""Where the night waits for people: until the rows that the committee left to them are decided, or its time is up."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import httpx
from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.utilities.urls import url_for

from flows.pause import Pause
from flows.review_form import GO_ON, described, fields, obey, worded
from nightschool.review import deadline
from tasks import progress, review
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.sitting import Sitting

_LOOK_EVERY_S = 1.0


def hear_people(night: Night, ledger: Ledger) -> None:
    """Waits as the recipe says, then takes in what people have decided by then.

    Raises:
        WorldError: somebody ended the run meanwhile.
    """
    if night.recipe.review is None:
        return
    until = deadline(night.recipe.review.mode, _now())
    began = time.monotonic()
    if review.undecided(night) and not _over(until):
        _wait(night, until)
    review.take(night)
    ledger.phase("review", seconds=time.monotonic() - began)


def _wait(night: Night, until: datetime | None) -> None:
    sitting = Sitting(night, who="")
    counts = progress.track("people")
    form = _Form(sitting) if get_current_settings().server.ui.enabled else None
    where = f"nightschool review {night.name}{night.where}{f', or Resume on {form.url}' if form else ''}"
    counts.say(f"{sitting.left} rows wait for a person: {where}", now=True, urgent=True)
    review.was_let_go(night)  # a word from before counts for nothing
    while sitting.look() and not (_over(until) or review.was_let_go(night) or (form and form.lets_go())):
        counts.steps("rows", sitting.total - sitting.left, sitting.total, f"{sitting.left} wait: {where}")
        time.sleep(_LOOK_EVERY_S)
    while form and not form.gone():
        time.sleep(_LOOK_EVERY_S)
    counts.steps("rows", sitting.total - sitting.left, sitting.total)
    counts.finish(f"{sitting.left} wait still: {where}" if sitting.left else "all decided")


class _Form:
    """The row that is asked now, as a form of Prefect's page."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting, self._pause = sitting, Pause(UUID(str(flow_run.get_id())))
        self._shown: str | None = None
        self.url = url_for("flow-run", flow_run.get_id()) or "Prefect's page"

    def lets_go(self) -> bool:
        """Takes in what was filled in and shows the next row; whether the night is to go on without the rest."""
        sitting, wrong = self._sitting, None
        if said := self._pause.answer():
            if worded(said) == GO_ON:
                return True
            wrong = obey(sitting, said) if sitting.case and sitting.case.content == self._shown else None
        if sitting.case is None:
            sitting.again()
        if sitting.case and not (self._pause.shows and self._shown == sitting.case.content):
            self._show(wrong or "")
        return False

    def _show(self, wrong: str) -> None:
        sitting, case = self._sitting, self._sitting.case
        assert case is not None
        place = f"Row {sitting.total - sitting.left + 1} of {sitting.total}"
        with suppress(httpx.HTTPError):  # the server is away: it is tried again
            self._pause.show(place, fields(case, sitting.who), described(case, place=place, wrong=wrong))
            self._shown = case.content

    def gone(self) -> bool:
        """Takes the form down; whether that was done, for the server may be away."""
        with suppress(httpx.HTTPError):
            self._pause.close()
        return not self._pause.shows


def _over(until: datetime | None) -> bool:
    return until is not None and _now() >= until


def _now() -> datetime:
    return datetime.now().astimezone()
