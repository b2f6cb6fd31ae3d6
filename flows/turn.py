"""Before a night begins: it waits for what its recipe waits for, and for its turn at the devices; visibly."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prefect.states import Running

from blocks import turns
from flows.mend import bury
from nightschool.recipe.order import Queue as Urgency
from tasks import after, progress
from tasks.night import Night
from tasks.turn import told, wish

_LOOK_EVERY_S = 2.0
# So often the words are made anew: looking at another night's chunks costs.
_TELL_EVERY_S = 10.0
# Each state of a run stays in Prefect's database.
_SHOW_EVERY_S = 300.0
_STATE = "Waiting"


@contextmanager
def turn(night: Night) -> Iterator[None]:
    """Waits until the night may begin; holds its devices while inside.

    Raises:
        RecipeError: it waits for what cannot come.
        WorldError: the locks cannot be used.
    """
    _bury_last_try()
    with _Words("after") as words:
        after.note(night)
        while lacking := after.lacking(night):
            words.say(lambda lacking=lacking: f"waits for {'; '.join(lacking)}")
            time.sleep(_LOOK_EVERY_S)
    mine = wish(night, _queue())
    with _Words("turn") as words, turns.turn(mine, lambda queue: words.say(lambda: told(mine, queue))):
        words.over()
        yield


def _bury_last_try() -> None:
    run = flow_run.get_id()
    if run and flow_run.run_count > 1:
        with suppress(httpx.HTTPError), get_client(sync_client=True) as client:
            bury(client, UUID(str(run)))


class _Words:
    """What a night waits for: on the terminal, and as the state of its run in Prefect."""

    def __init__(self, phase: str) -> None:
        self._phase = phase
        self._counts: progress.Tracker | None = None
        self._told = self._shown = -math.inf

    def __enter__(self) -> _Words:
        return self

    def __exit__(self, *_: object) -> None:
        self.over()

    def say(self, what: Callable[[], str]) -> None:
        now = time.monotonic()
        if now < self._told + _TELL_EVERY_S:
            return
        self._told, text, first = now, what(), self._counts is None
        self._counts = self._counts or progress.track(self._phase)
        self._counts.say(text, now=True, urgent=first)
        if now >= self._shown + _SHOW_EVERY_S:
            self._shown = now
            _state(_STATE, text)

    def over(self) -> None:
        if self._counts:
            self._counts.finish("its turn has come")
            _state("Running", f"waited {self._counts.seconds:.0f} s")
        self._counts = None


def _state(name: str, message: str) -> None:
    """Names the state of this run; a server that is away is not waited for."""
    run = flow_run.get_id()
    if run:
        with suppress(httpx.HTTPError), get_client(sync_client=True) as client:
            client.set_flow_run_state(UUID(str(run)), Running(name=name, message=message), force=True)


def _queue() -> Urgency:
    """The work queue that the run came through."""
    context = FlowRunContext.get()
    name = context.flow_run.work_queue_name if context and context.flow_run else None
    return "urgent" if name == "urgent" else "default"
