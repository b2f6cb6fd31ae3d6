"""Processes that are started again when they end by themselves: Prefect's server and worker of one machine."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

from nightschool.errors import WorldError

Part = Callable[[], AbstractContextManager[subprocess.Popen[bytes]]]

# In all, while they are up: what dies again and again has a reason that a person must look at.
MOST_DEATHS = 10
_LOOK_EVERY_S = 0.5


class Kept:
    """The processes by name; not safe for threads."""

    def __init__(self, parts: Mapping[str, Part], stack: ExitStack) -> None:
        self._parts, self._stack = parts, stack
        self._running = {name: stack.enter_context(part()) for name, part in parts.items()}
        self._deaths = 0

    def look(self, say: Callable[[str], None]) -> None:
        """Starts again what has ended.

        Args:
            say: gets a line for a person about each.

        Raises:
            WorldError: that was the last time; or it does not come up again.
        """
        for name, process in list(self._running.items()):
            if process.poll() is None:
                continue
            self._deaths += 1
            died = f"{name} ended by itself (exit code {process.returncode})"
            if self._deaths > MOST_DEATHS:
                raise WorldError(f"{died}, and is not started again: too often")
            say(f"{died}: it is started again ({self._deaths} of {MOST_DEATHS})")
            self._running[name] = self._stack.enter_context(self._parts[name]())

    def keep_up(self, say: Callable[[str], None]) -> None:
        """Looks for ever; see `look`."""
        while True:
            self.look(say)
            time.sleep(_LOOK_EVERY_S)


@contextmanager
def kept(parts: Mapping[str, Part]) -> Iterator[Kept]:
    """Starts the processes in order; all are ended with the block, the last one first.

    Args:
        parts: each a context that starts a process and ends it.

    Raises:
        WorldError: as the parts do.
    """
    with ExitStack() as stack:
        yield Kept(parts, stack)
