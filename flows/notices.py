"""Who is told of a night as it starts and as it ends, however that is."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.utilities.urls import url_for

from blocks import pages
from nightschool import messages
from nightschool.errors import NightError
from nightschool.messages import Message
from nightschool.report.figures import Report
from tasks.night import Night
from tasks.notify import tell
from tasks.reports import report_of

_USER = 2


class Notices:
    """Around a night: `started` tells that it begins; when it is left, the report of this run is told of.

    A run that is killed or cancelled tells nothing: whoever did it knows.
    """

    def __init__(self, night: Night) -> None:
        self._night, self._began = night, time.time()

    def started(self) -> None:
        """The night is about to begin."""
        recipe = self._night.recipe
        student = recipe.student.name if recipe.student else ""
        self._tell(messages.begun(self._night.name, len(recipe.teachers), student, self._night.where))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            return
        if report := self._report():
            at = pages.shown(self._night.dir, self._night.store.place)
            page = f"{(self._night.dir / 'report.html').resolve()}{f', {at}report.html' if at else ''}"
            self._tell(messages.over(report, page, _run()))
        else:
            refused = isinstance(error, NightError) and error.exit_code == _USER
            self._tell(messages.broke_down(self._night.name, self._night.where, refused=refused))

    def _report(self) -> Report | None:
        """That of this run, which an earlier one's is not."""
        file = self._night.dir / "report.json"
        fresh = file.is_file() and file.stat().st_mtime >= self._began
        return report_of(self._night) if fresh else None

    def _tell(self, message: Message) -> None:
        for recipient in messages.recipients(self._night.recipe.notify, message):
            tell(recipient, message.subject, message.body, return_state=True)  # whatever becomes of it


def _run() -> str:
    """The run's page, where a server has one."""
    shown = get_current_settings().server.ui.enabled
    return (url_for("flow-run", flow_run.get_id()) or "") if shown else ""
