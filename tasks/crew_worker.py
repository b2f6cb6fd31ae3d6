"""A process of the crew: chunks in, outcomes out, and every half second how far it is.

Run as `python -m tasks.crew_worker FD`, FD being an end of a socket pair. Told a number of seconds in place of a chunk
it drains, and makes no other. When the other end is closed, as the kernel
does however its holder ends, this process ends at once: replies on file stay there, and no other work is lost.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection

from blocks.client import client
from blocks.memory import look_seldom
from nightschool.errors import NightError
from tasks import progress
from tasks.crew_member import Told
from tasks.making import Job, Outcome, make

_TELL_EVERY_S = 0.5
# As many as a recipe may have in flight, see chunks_in_flight.
_MOST_CHUNKS = 64


class _Worker:
    def __init__(self, line: Connection) -> None:
        self._line, self._lock = line, threading.Lock()
        self._jobs = ThreadPoolExecutor(_MOST_CHUNKS, thread_name_prefix="chunk")

    def serve(self) -> None:
        """Until the other end is closed."""
        threading.Thread(target=self._tell_on, name="telling", daemon=True).start()
        while True:
            try:
                told = self._line.recv()
            except (EOFError, ConnectionResetError):
                os._exit(0)
            if isinstance(told, float):
                client().drain(told)
            else:
                self._begin(*told)

    def _begin(self, number: int, job: Job) -> None:
        self._jobs.submit(make, job).add_done_callback(lambda made: self._ended(number, made))

    def _ended(self, number: int, made: Future[Outcome]) -> None:
        error = made.exception()
        if error is not None and not isinstance(error, NightError):
            traceback.print_exception(error)
            error = RuntimeError(f"{type(error).__name__}: {error}")
        self._tell(number, None if error else made.result(), error)

    def _tell_on(self) -> None:
        while True:
            time.sleep(_TELL_EVERY_S)
            self._tell()

    def _tell(self, job: int | None = None, outcome: Outcome | None = None, error: BaseException | None = None) -> None:
        with self._lock:
            events = progress.standing()
            rows = {event.phase: (event.done, event.reused) for event in events}
            notes = {event.phase: event.note for event in events}
            try:
                self._line.send(Told(rows, notes, client().replicas(), job, outcome, error))
            except ConnectionError:
                os._exit(0)


if __name__ == "__main__":
    look_seldom()
    _Worker(Connection(int(sys.argv[1]))).serve()
