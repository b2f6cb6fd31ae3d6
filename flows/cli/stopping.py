"""Ctrl-C and SIGTERM end a night within seconds."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from flows.cli.output import say

INTERRUPTED = 128 + signal.SIGINT
STOPPED = "Stopped. The same command goes on where it stopped."
_GRACE_S = 5.0


@contextmanager
def stoppable() -> Iterator[None]:
    """While inside, a signal to stop is obeyed after a few seconds at the latest.

    Prefect waits for the chunks that are being made, which may take hours. A night loses nothing by a sudden end, and
    what it started ends with it; so that is what it gets. The signals are seen through a pipe, because Prefect puts
    handlers of its own in place of any others.
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
    while signals := os.read(read, 64):
        if {signal.SIGINT, signal.SIGTERM} & set(signals):
            time.sleep(_GRACE_S)
            end_at_once(STOPPED, INTERRUPTED)
    os.close(read)


def end_at_once(why: str, code: int) -> NoReturn:
    """Ends the process, whatever its other threads wait for; what it started ends with it."""
    say.show_cursor(True)
    say.print(f"\n{why}", soft_wrap=True)
    os._exit(code)
