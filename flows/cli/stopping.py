"""Ctrl-C and SIGTERM end a night within seconds, and lose nothing that was paid for."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from flows.cli.output import say
from nightschool.errors import Stopped

# For what else is being made, after the requests under way have been waited for.
_GRACE_S = 5.0
_LOOK_EVERY_S = 0.05


@contextmanager
def stoppable() -> Iterator[None]:
    """While inside, a signal to stop is obeyed after half a minute at the latest, a second Ctrl-C at once.

    Prefect waits for the chunks that are being made, which may take hours. A night loses nothing by an end as soon as
    its requests under way are answered, and what it started ends with it; so that is what it gets. The signals are
    seen through a pipe, because Prefect puts handlers of its own in place of any others.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(read,), name="stopping", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(write)


def _watch(read: int) -> None:
    told: list[int] = []
    while signals := os.read(read, 64):
        told += [number for number in signals if number in (signal.SIGINT, signal.SIGTERM)]
        if told.count(signal.SIGINT) > 1:
            end_at_once(str(Stopped()), Stopped.exit_code)
        if told and not _ending.is_set():
            threading.Thread(target=end_in_order, args=(str(Stopped()), Stopped.exit_code), daemon=True).start()
    os.close(read)


_ending = threading.Event()


def end_in_order(why: str, code: int) -> NoReturn:
    """Ends the process once its requests under way are answered and on file."""
    from tasks import crew, making  # uvloop and much else, which --help has no use for

    _ending.set()
    if in_flight := sum(one.in_flight for one in crew.replicas()):
        what = f"{in_flight} request{'' if in_flight == 1 else 's'} under way"
        say.print(f"\nStopping: {what}, up to {crew.DRAIN_S:.0f} s. Ctrl-C again ends it at once.", soft_wrap=True)
    crew.drain(crew.DRAIN_S)
    ends = time.monotonic() + _GRACE_S
    while making.under_way() and time.monotonic() < ends:
        time.sleep(_LOOK_EVERY_S)
    end_at_once(why, code)


def end_at_once(why: str, code: int) -> NoReturn:
    """Ends the process, whatever its other threads wait for; what it started ends with it."""
    say.show_cursor(True)
    say.print(f"\n{why}", soft_wrap=True)
    os._exit(code)
