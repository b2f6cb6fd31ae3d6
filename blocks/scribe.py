"""Two threads that append to files for the whole process: one hands lines to the kernel, one makes the disk keep them.

The queue costs the client's thread about what a write() of its own would (measured, benchmarks/journal.py); but a disk
that stalls does not stall its requests.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from functools import cache
from queue import Empty, SimpleQueue

# Lines that arrive within this time share a write(): it bounds what a kill can take, and how often threads wake.
_GATHER_S = 0.002
# The disk keeps lines after so many of one file, or after so long.
_SYNC_LINES, _SYNC_EVERY_S = 100, 1.0


class Appended:
    """A file that is open for appending. `failure` is set once a line could not be kept; no later line is tried."""

    def __init__(self, fd: int, scribe: Scribe) -> None:
        self.failure: OSError | None = None
        self.unsynced = 0
        self._fd, self._scribe = fd, scribe
        self._size = os.fstat(fd).st_size
        self._syncing = threading.Lock()

    def put(self, line: bytes) -> None:
        """Queues whole lines; returns at once."""
        self._scribe.queue.put((self, line))

    def close(self) -> OSError | None:
        """Waits until all lines are on the disk; what went wrong, if something did."""
        done = threading.Event()
        self._scribe.queue.put((self, done))
        done.wait()
        self.sync()
        with self._syncing:
            os.close(self._fd)
            self._fd = -1
        return self.failure

    def write(self, lines: list[bytes]) -> None:
        """For the writing thread. A half line is cut off again."""
        if self.failure:
            return
        data = b"".join(lines)
        left = memoryview(data)
        try:
            # A disk that fills up takes a part, and refuses the next call with the reason.
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as err:
            self.failure = err
            with suppress(OSError):
                os.ftruncate(self._fd, self._size + data.rfind(b"\n", 0, len(data) - len(left)) + 1)
            return
        self._size += len(data)
        self.unsynced += len(lines)

    def sync(self) -> None:
        with self._syncing:
            if self._fd < 0 or not self.unsynced:
                return
            self.unsynced = 0
            try:
                os.fdatasync(self._fd)
            except OSError as err:
                self.failure = err


class Scribe:
    """The two threads and their queue; lines of one file keep their order.

    `failure` is the last one of any file: a disk that is full for one is full for all.
    """

    def __init__(self) -> None:
        self.failure: OSError | None = None
        self.queue: SimpleQueue[tuple[Appended, bytes | threading.Event]] = SimpleQueue()
        self._open: set[Appended] = set()
        self._dirty, self._many = threading.Event(), threading.Event()
        for work in (self._write, self._sync):
            threading.Thread(target=work, name=f"scribe {work.__name__}", daemon=True).start()

    def open(self, fd: int) -> Appended:
        """Takes over a file that was opened with O_APPEND."""
        return Appended(fd, self)

    def _write(self) -> None:
        while True:
            taken = [self.queue.get()]
            time.sleep(_GATHER_S)
            try:
                while True:
                    taken.append(self.queue.get_nowait())
            except Empty:
                pass
            self._keep(taken)

    def _keep(self, taken: list[tuple[Appended, bytes | threading.Event]]) -> None:
        lines: dict[Appended, list[bytes]] = {}
        closing = [(file, one) for file, one in taken if isinstance(one, threading.Event)]
        for file, one in taken:
            if isinstance(one, bytes):
                lines.setdefault(file, []).append(one)
        for file, mine in lines.items():
            file.write(mine)
            self.failure = file.failure or self.failure
            self._open.add(file)
            if file.unsynced >= _SYNC_LINES:
                self._many.set()
        for file, done in closing:
            self._open.discard(file)
            done.set()
        if lines:
            self._dirty.set()

    def _sync(self) -> None:
        while True:
            self._dirty.wait()
            self._many.wait(_SYNC_EVERY_S)
            self._dirty.clear()
            self._many.clear()
            for file in list(self._open):
                file.sync()


@cache
def scribe() -> Scribe:
    """The process's own; its threads live as long as it does."""
    return Scribe()
