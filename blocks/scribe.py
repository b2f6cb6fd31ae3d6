"""Files that are appended to: each line is the kernel's at once, and a thread of the process makes the disk keep them.

A line is written where it comes from. Gathered for 2 ms by a thread of its own it cost the client about the same
(measured, benchmarks/journal.py), and a kill under load took up to 39 replies that had been paid for.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from functools import cache

# The disk keeps lines after so many of one file, or after so long.
_SYNC_LINES, _SYNC_EVERY_S = 100, 1.0


class Appended:
    """A file that is open for appending. `failure` is set once a line could not be kept; no later line is tried."""

    def __init__(self, fd: int, scribe: Scribe) -> None:
        self.failure: OSError | None = None
        self._fd, self._scribe = fd, scribe
        self._size, self._unsynced = os.fstat(fd).st_size, 0
        self._writing, self._syncing = threading.Lock(), threading.Lock()

    def put(self, line: bytes) -> None:
        """Hands a whole line to the kernel; half a line is cut off again, and `failure` says why."""
        with self._writing:
            if self.failure:
                return
            left = memoryview(line)
            try:
                # A disk that fills up takes a part, and refuses the next call with the reason.
                while left:
                    left = left[os.write(self._fd, left) :]
            except OSError as err:
                self.failure = self._scribe.failure = err
                with suppress(OSError):
                    os.ftruncate(self._fd, self._size)
                return
            self._size += len(line)
            self._unsynced += 1
            unsynced = self._unsynced
        self._scribe.written(self, many=unsynced >= _SYNC_LINES)

    def close(self) -> OSError | None:
        """Waits until all lines are on the disk; what went wrong, if something did."""
        self._scribe.forget(self)
        self.sync()
        with self._syncing:
            os.close(self._fd)
            self._fd = -1
        return self.failure

    def sync(self) -> None:
        """Returns when the disk has every line that was put before."""
        with self._syncing:
            if self._fd < 0 or not self._unsynced:
                return
            self._unsynced = 0
            try:
                os.fdatasync(self._fd)
            except OSError as err:
                self.failure = err


class Scribe:
    """The thread that syncs.

    `failure` is the last one of any file: a disk that is full for one is full for all.
    """

    def __init__(self) -> None:
        self.failure: OSError | None = None
        self._open: set[Appended] = set()
        self._lock = threading.Lock()
        self._dirty, self._many = threading.Event(), threading.Event()
        threading.Thread(target=self._sync, name="scribe", daemon=True).start()

    def open(self, fd: int) -> Appended:
        """Takes over a file that was opened with O_APPEND."""
        return Appended(fd, self)

    def written(self, file: Appended, *, many: bool) -> None:
        """A file has lines that the disk does not have yet."""
        # Told already, most of the time; to tell it again for every row took a tenth of the client's time.
        if file not in self._open:
            with self._lock:
                self._open.add(file)
        if not self._dirty.is_set():
            self._dirty.set()
        if many:
            self._many.set()

    def forget(self, file: Appended) -> None:
        """A file is about to be closed by who wrote it."""
        with self._lock:
            self._open.discard(file)

    def _sync(self) -> None:
        while True:
            self._dirty.wait()
            self._many.wait(_SYNC_EVERY_S)
            self._dirty.clear()
            self._many.clear()
            with self._lock:
                files = list(self._open)
            for file in files:
                file.sync()


@cache
def scribe() -> Scribe:
    """The process's own; its thread lives as long as it does."""
    return Scribe()
