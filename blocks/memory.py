"""Memory of this process and of everything that it started."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator

import psutil

_EVERY_S = 2.0
# Objects made, less those that have gone, between two looks for unreachable ones. Python's own 700 took a quarter of
# a night's CPU at full speed (100,000 requests: 39.9 s against 31.5 s).
_LOOK_AFTER = 20_000


def look_seldom() -> None:
    """Let Python look less often for garbage that counting references does not find; for a process that asks.

    Nor at what is there now, which is modules mostly: to look through that held up each request in flight for 50 ms.
    """
    gc.freeze()
    gc.set_threshold(_LOOK_AFTER, 10, 10)


def tree_bytes() -> int:
    """Proportional set size of this process and all below it: shared pages are counted once."""
    me = psutil.Process()
    return sum(_pss(process.pid) for process in [me, *me.children(recursive=True)])


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError, psutil.Error):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:  # noqa: PTH123 - a proc file
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        return psutil.Process(pid).memory_info().rss
    return 0


@contextlib.contextmanager
def watching(note: Callable[[int], None]) -> Iterator[None]:
    """Hands the tree's memory to `note` every two seconds while inside."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_EVERY_S):
            note(tree_bytes())

    thread = threading.Thread(target=watch, name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
