"""Where the night waits for people: until the rows that the committee left to them are decided, or its time is up."""

from __future__ import annotations

import time
from datetime import datetime

from nightschool.review import deadline
from tasks import progress, review
from tasks.ledger import Ledger
from tasks.night import Night

_LOOK_EVERY_S = 2.0


def hear_people(night: Night, ledger: Ledger) -> None:
    """Waits as the recipe says, then takes in what people have decided by then."""
    if night.recipe.review is None:
        return
    until = deadline(night.recipe.review.mode, datetime.now().astimezone())
    began = time.monotonic()
    if review.undecided(night) and (until is None or datetime.now().astimezone() < until):
        _wait(night, until)
    review.take(night)
    ledger.phase("review", seconds=time.monotonic() - began)


def _wait(night: Night, until: datetime | None) -> None:
    counts = progress.track("people")
    total = len(review.queue(night))
    review.was_let_go(night)  # a word from before counts for nothing
    while (left := len(review.undecided(night))) and (until is None or datetime.now().astimezone() < until):
        if review.was_let_go(night):
            break
        counts.steps("rows", total - left, total, f"{left} wait: nightschool review {night.name}")
        time.sleep(_LOOK_EVERY_S)
    counts.finish(f"{left} wait still" if left else "all decided")
