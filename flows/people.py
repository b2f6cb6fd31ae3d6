"""Where the night waits for people: until the rows that the committee left to them are decided, or its time is up."""

from __future__ import annotations

import time
from datetime import datetime

from prefect.settings import get_current_settings

from flows.form import Form
from nightschool.errors import Stopped
from nightschool.review import deadline
from tasks import progress, review
from tasks.ledger import Ledger
from tasks.making import stopping
from tasks.night import Night
from tasks.sitting import Sitting

_LOOK_EVERY_S = 1.0


def hear_people(night: Night, ledger: Ledger) -> None:
    """Waits as the recipe says, then takes in what people have decided by then.

    Raises:
        Stopped: the night's window closed; the next run waits again.
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
    form = Form(sitting) if get_current_settings().server.ui.enabled else None
    where = f"nightschool review {night.name}{night.where}{f', or Resume on {form.url}' if form else ''}"
    counts.say(f"{sitting.left} rows wait for a person: {where}", now=True, urgent=True)
    review.was_let_go(night)  # a word from before counts for nothing
    while sitting.look() and not (_over(until) or review.was_let_go(night) or (form and form.lets_go())):
        counts.steps("rows", sitting.total - sitting.left, sitting.total, f"{sitting.left} wait: {where}")
        if stopping():
            raise Stopped
        time.sleep(_LOOK_EVERY_S)
    while form and not form.gone():
        time.sleep(_LOOK_EVERY_S)
    counts.steps("rows", sitting.total - sitting.left, sitting.total)
    counts.finish(f"{sitting.left} wait still: {where}" if sitting.left else "all decided")


def _over(until: datetime | None) -> bool:
    return until is not None and _now() >= until


def _now() -> datetime:
    return datetime.now().astimezone()
