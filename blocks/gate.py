"""Whether a request may go out now: limits a minute and money."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from blocks.call import Job
from blocks.limits import Meter
from nightschool.wire import Reply


class Gate:
    """Stands before the servers of a lane.

    Args:
        again: called when it opens after it was shut.
    """

    def __init__(self, meter: Meter, again: Callable[[], None]) -> None:
        self._meter, self._again = meter, again
        self._timer: asyncio.TimerHandle | None = None
        self._short_of_money = False

    def open(self) -> bool:
        """Whether any request may go out."""
        if not self._meter.limited:
            return not self._short_of_money
        return not self._short_of_money and self._timer is None and self._in_time(self._meter.pace_s())

    def lets(self, job: Job) -> bool:
        """Whether this one may, and then it is charged; the others come after it.

        Raises:
            BudgetSpent: it may never, since it could overspend the budget and nothing in flight can turn out cheaper.
        """
        purse = job.call.purse
        if self._meter.limited and not self._in_time(self._meter.room_s(job.body, job.ask)):
            return False
        if purse is not None and not purse.hold(job.body, job.ask):
            if not purse.held:
                raise purse.error()
            self._short_of_money = True
            return False
        job.charged = self._meter.sent(job.body, job.ask)
        return True

    def settle(self, job: Job, reply: Reply | None, *, paid: bool) -> None:
        """A request has ended: what it did not use is given back."""
        self._meter.ended(job.charged, reply)
        if job.call.purse is not None:
            job.call.purse.settle(job.body, job.ask, reply, paid=paid)
            if self._short_of_money:
                self._short_of_money = False
                asyncio.get_running_loop().call_soon(self._again)

    def close(self) -> None:
        """Open no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _in_time(self, wait_s: float) -> bool:
        if wait_s:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._opened)
        return not wait_s

    def _opened(self) -> None:
        self._timer = None
        self._again()
