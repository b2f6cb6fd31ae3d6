"""A process of the crew as its parent sees it: started when it is needed, heard, and ended with the parent."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from blocks.replica import ReplicaStats
from nightschool.errors import WorldError
from tasks import progress
from tasks.making import Job, Outcome

# A waiting thread wakes this often, so that Prefect's timeouts and Ctrl-C reach it.
_WAKE_S = 0.5
_END_S = 5.0
# Of the same code as this process, wherever it was started.
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Told:
    """Where this process stands: rows of each phase (done, and those of them that were on file), notes, the client's
    counts; with the end of a job by its number, if that is why it is told.
    """

    rows: dict[str, tuple[int, int]]
    notes: dict[str, str]
    replicas: list[ReplicaStats]
    job: int | None = None
    outcome: Outcome | None = None
    error: BaseException | None = None


class Member:
    """One process at a time, for any number of threads.

    Args:
        log: takes what it says on stderr.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._line: Connection | None = None
        self._end: socket.socket | None = None
        self._listener: threading.Thread | None = None
        self._jobs: dict[int, Future[Outcome]] = {}
        # Of processes that have ended, and of this one.
        self._before: list[ReplicaStats] = []
        self._now: list[ReplicaStats] = []
        self._rows: dict[str, tuple[int, int]] = {}
        self._notes: dict[str, str] = {}

    def make(self, job: Job) -> Outcome:
        """Has the process make a chunk, and waits for it.

        Raises:
            WorldError: the process died.
            NightError: as `tasks.making.make` does.
        """
        made: Future[Outcome] = Future()
        with self._lock:
            line = self._line or self._start()
            number = next(self._numbers)
            self._jobs[number] = made
            # If it has died, the listener is about to notice, and fails the job with the rest.
            with suppress(BrokenPipeError):
                line.send((number, job))
        while wait([made], timeout=_WAKE_S).not_done:
            pass
        return made.result()

    def drain(self, most_s: float) -> None:
        """Tell the process to ask nothing more, see `blocks.client.Client.drain`; returns at once."""
        with self._lock, suppress(BrokenPipeError):
            if self._line is not None:
                self._line.send(float(most_s))

    @property
    def busy(self) -> bool:
        """Whether it makes a chunk."""
        return bool(self._jobs)

    def replicas(self) -> list[ReplicaStats]:
        """What it has counted, with those that came before it."""
        return [*self._before, *self._now]

    def close(self) -> None:
        """Ends the process, whatever it is at."""
        with self._lock:
            end, listener = self._end, self._listener
            if end is not None:
                with suppress(OSError):  # it has died by itself
                    end.shutdown(socket.SHUT_RDWR)
        if listener is not None:
            listener.join()

    def _start(self) -> Connection:
        """A process and the thread that hears it; the lock is held."""
        ours, theirs = socket.socketpair()
        with theirs, self._log.open("ab") as log:
            command = [sys.executable, "-P", "-m", "tasks.crew_worker", str(theirs.fileno())]
            path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
            process = subprocess.Popen(
                command,
                env=os.environ | {"PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._end = ours
        line = self._line = Connection(ours.dup().detach())
        self._listener = threading.Thread(target=self._hear, args=(line, ours, process), name="crew", daemon=True)
        self._listener.start()
        return line

    def _hear(self, line: Connection, end: socket.socket, process: subprocess.Popen[bytes]) -> None:
        while True:
            try:
                told: Told = line.recv()
            except (EOFError, OSError):
                break
            self._take(told)
        self._gone(process)
        line.close()
        end.close()

    def _take(self, told: Told) -> None:
        self._now = told.replicas
        for phase, (done, reused) in told.rows.items():
            counts, (done_before, reused_before) = progress.tracker(phase), self._rows.get(phase, (0, 0))
            self._rows[phase] = done, reused
            if reused > reused_before:
                counts.rows(reused - reused_before, reused=True)
            if (fresh := done - done_before - (reused - reused_before)) > 0:
                counts.rows(fresh)
        for phase, note in told.notes.items():
            if note != self._notes.get(phase, ""):
                self._notes[phase] = note
                progress.tracker(phase).say(note)
        if told.job is not None:
            made = self._jobs.pop(told.job)
            if told.outcome is None:
                made.set_exception(told.error)
            else:
                made.set_result(told.outcome)

    def _gone(self, process: subprocess.Popen[bytes]) -> None:
        """Counts are kept, jobs under way fail, and the next one starts another process."""
        try:
            code = process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        with self._lock:
            self._line = self._end = None
            self._before += [replace(one, in_flight=0, limit=0) for one in self._now]
            self._now, self._rows, self._notes = [], {}, {}
            jobs, self._jobs = list(self._jobs.values()), {}
        for made in jobs:
            made.set_exception(WorldError(f"a process that asks ended with code {code} (log: {self._log})"))
