"""The row that a sitting asks about now, as a form of the page of a run that waits."""

from __future__ import annotations

import time
from contextlib import suppress
from uuid import UUID

import httpx
from prefect.runtime import flow_run
from prefect.utilities.urls import url_for

from flows.pause import Pause
from flows.review_form import GO_ON, described, fields, obey, worded
from tasks.sitting import Sitting

_LOOK_EVERY_S = 1.0


def sit(sitting: Sitting) -> None:
    """Asks of every row that waits, until all are decided or whoever is asked leaves the rest."""
    form = Form(sitting)
    while sitting.look() and not form.lets_go():
        time.sleep(_LOOK_EVERY_S)
    while not form.gone():
        time.sleep(_LOOK_EVERY_S)


class Form:
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
            self._pause.show(
                place,
                fields(case, sitting.who, spot_check=sitting.spot_check),
                described(case, place=place, wrong=wrong),
            )
            self._shown = case.content

    def gone(self) -> bool:
        """Takes the form down; whether that was done, for the server may be away."""
        with suppress(httpx.HTTPError):
            self._pause.close()
        return not self._pause.shows
