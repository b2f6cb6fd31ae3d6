"""Ctrl-C, SIGTERM and a cancelled run end a night within seconds, and lose nothing that was paid for."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from nightschool.errors import NightError, Stopped

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

# For what else is being made, after the requests under way have been waited for.
_GRACE_S = 5.0
_LOOK_EVERY_S = 0.05
# A worker that heeds a Cancel does so within this time.
_ASK_EVERY_S, _LOOKS = 10.0, 2
_CANCELLED = "cancelled in Prefect; a retry of the run, or nightschool rerun, goes on where it stopped"


def _to_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


_tells: list[Callable[[str], None]] = [_to_stderr]
_notes: list[Callable[[str], None]] = []
_watching: list[int] = []
_ending = threading.Event()


@contextmanager
def stoppable(tell: Callable[[str], None] = _to_stderr) -> Iterator[None]:
    """While inside, a signal to stop is obeyed after half a minute at the latest, a second Ctrl-C at once.

    Prefect waits for the chunks that are being made, which may take hours. A night loses nothing by an end as soon as
    its requests under way are answered, and what it started ends with it; so that is what it gets. The signals are
    seen through a pipe, because Prefect puts handlers of its own in place of any others. Inside another such block, or
    in a thread that gets no signals, nothing changes.

    Args:
        tell: shows a person what happens.
    """
    if _watching or threading.current_thread() is not threading.main_thread():
        yield
        return
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    _watching.append(read)
    _tells.append(tell)
    threading.Thread(target=_watch, args=(read,), name="stopping", daemon=True).start()
    over = threading.Event()
    if run := os.environ.get("PREFECT__FLOW_RUN_ID"):
        threading.Thread(target=_heed, args=(UUID(run), over), name="heeding", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(before)
        os.close(write)
        _tells.remove(tell)
        _watching.remove(read)


@contextmanager
def noting(note: Callable[[str], None]) -> Iterator[None]:
    """While inside, `note` is told why the process is ended before it is."""
    _notes.append(note)
    try:
        yield
    finally:
        _notes.remove(note)


def _watch(read: int) -> None:
    told: list[int] = []
    while signals := os.read(read, 64):
        told += [number for number in signals if number in (signal.SIGINT, signal.SIGTERM)]
        if told.count(signal.SIGINT) > 1:
            end_at_once(str(Stopped()), Stopped.exit_code)
        if told and not _ending.is_set():
            _ending.set()
            threading.Thread(target=_stop, daemon=True).start()
    os.close(read)


def _stop() -> NoReturn:
    """Prefect's worker calls a run that it cancels cancelled if its process ends well, and crashed if not."""
    if _cancelled():
        end_in_order(_CANCELLED, 0)
    end_in_order(str(Stopped()), Stopped.exit_code, last=_crashed)


def _cancelled() -> bool:
    """Whether the signal came because somebody cancelled the run: the worker says so over a channel of its own."""
    listener = sys.modules.get("prefect._internal.control_listener")
    return listener is not None and listener.get_intent() == "cancel"


def _heed(run: UUID, over: threading.Event) -> None:
    """Ends a run that stays Cancelling: Prefect's worker (3.7.7) ends one of its runs by Cancel only once.

    It keeps the run's id among those that it is cancelling, and does nothing when a retried one is cancelled again.
    """
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectException

    seen = 0
    with get_client(sync_client=True) as client:
        while seen < _LOOKS and not over.wait(_ASK_EVERY_S):
            with suppress(httpx.HTTPError, PrefectException):
                state = client.read_flow_run(run).state
                seen = seen + 1 if state and state.is_cancelling() else 0
    if not over.is_set() and not _ending.is_set():
        end_in_order(_CANCELLED, 0, last=_cancelled_run)


def _cancelled_run() -> None:
    from prefect.states import Cancelled

    _tell_prefect(Cancelled(message=_CANCELLED))


def _crashed() -> None:
    """Says so of the run itself: a worker that is told to end as well, or was killed, no longer can."""
    from prefect.states import Crashed

    _tell_prefect(Crashed(message="its process was told to end"))


def _tell_prefect(state: State[Any]) -> None:
    if run := os.environ.get("PREFECT__FLOW_RUN_ID"):
        import httpx
        from prefect.client.orchestration import get_client

        with suppress(httpx.HTTPError), get_client(sync_client=True) as client:
            client.set_flow_run_state(UUID(run), state, force=True)


def end_in_order(why: str, code: int, last: Callable[[], None] = lambda: None) -> NoReturn:
    """Ends the process once its requests under way are answered and on file.

    Args:
        last: is done just before the end.
    """
    from tasks import crew, making  # uvloop and much else, which --help has no use for

    _ending.set()
    _note(why)
    if in_flight := sum(one.in_flight for one in crew.replicas()):
        what = f"{in_flight} request{'' if in_flight == 1 else 's'} under way"
        _tells[-1](f"Stopping: {what}, up to {crew.DRAIN_S:.0f} s. Ctrl-C again ends it at once.")
    crew.drain(crew.DRAIN_S)
    ends = time.monotonic() + _GRACE_S
    while making.under_way() and time.monotonic() < ends:
        time.sleep(_LOOK_EVERY_S)
    last()
    end_at_once(why, code)


def end_at_once(why: str, code: int) -> NoReturn:
    """Ends the process, whatever its other threads wait for; what it started ends with it."""
    _tells[-1](why)
    # Processes of a task runner, some perhaps still on their way up; all others end with this one's pipes.
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(code)


def _note(why: str) -> None:
    for note in _notes.copy():
        with suppress(NightError, OSError):
            note(why)
