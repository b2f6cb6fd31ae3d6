"""One blocking call of the client: its asks on the way out, its replies and failures on the way back."""

from __future__ import annotations

import concurrent.futures
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from blocks.chat import request_body
from blocks.limits import Sent
from blocks.purse import Purse
from nightschool.errors import NightError, OutOfTime, RecipeError, WorldError
from nightschool.wire import Ask, Endpoint, Reply

Failure = Literal["no_reply", "rate_limited", "server_error", "broken_reply", "refused"]

_BACKOFF_S = 0.25
# What fails for other reasons than too much work does not fail less for being left alone: a row that has met half a
# body eight times would wait for minutes, and its chunk with it.
_MAX_BACKOFF_S, _MAX_BACKOFF_PUSHED_S = 1.0, 30.0
_LAST_TEXT_CHARS = 2_000
# A short call may retry as often, whatever its rows: the bound is there for outages, not for bad luck.
_FREE_RETRIES = 50


@dataclass(slots=True)
class Counters:
    """What was sent and came back.

    `retries` of the `sent` requests were asked before and had failed; `failures` counts rows given up; `tokens_cached`
    of `tokens_in` came from the server's prefix cache, where it says so; `latency_s` is the sum over `replies`.
    """

    sent: int = 0
    replies: int = 0
    retries: int = 0
    failures: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    latency_s: float = 0.0


@dataclass(slots=True, eq=False)
class Job:
    """An ask on its way and its request's body.

    `split`: one sample of an ask for several. `attempts` counts the requests that reached a server, `pushed_back`
    those that it had no room for; `charged` is what it takes of the limits a minute.
    """

    call: Call
    ask: Ask
    body: bytes
    split: bool = False
    attempts: int = 0
    pushed_back: int = 0
    charged: Sent | None = None

    def backoff_s(self) -> float:
        """Exponential with full jitter, the same for the same ask and attempt."""
        draw = random.Random(f"{self.ask.seed}:{self.ask.id}:{self.attempts}").random()
        most_s = min(_MAX_BACKOFF_S, _BACKOFF_S * 2**self.attempts)
        return draw * max(most_s, min(_MAX_BACKOFF_PUSHED_S, _BACKOFF_S * 2**self.pushed_back))


class Setback(Exception):
    """A request that the world failed.

    `reached` is False when no connection came about, `pushed_back` is True when the server has too much to do (429,
    503, timeout), `paid` when it may have done its work all the same.
    """

    def __init__(
        self,
        reason: Failure,
        text: str,
        *,
        retry_after_s: float = 0.0,
        reached: bool = True,
        pushed_back: bool = False,
        paid: bool = False,
    ) -> None:
        super().__init__(text)
        self.reason: Failure = reason
        self.text = text[:_LAST_TEXT_CHARS]
        self.retry_after_s = retry_after_s
        self.reached = reached
        self.pushed_back = pushed_back
        self.paid = paid


@dataclass(eq=False)
class Call:
    """One `ask_all` under way, `until` a moment of time.monotonic. Only the client's loop touches it, except `done`."""

    endpoint: Endpoint
    key: str | None
    asks: Iterator[Ask]
    on_reply: Callable[[Reply], Iterable[Ask] | None]
    on_failure: Callable[[Ask, str, int, str], None]
    purse: Purse | None = None
    until: float | None = None
    done: concurrent.futures.Future[None] = field(default_factory=concurrent.futures.Future)
    error: BaseException | None = None
    replied: bool = False
    refused: int = 0
    _taken: int = 0
    _retries: int = 0
    _open: int = 0
    _exhausted: bool = False

    def left_s(self) -> float:
        """Seconds that its next request may take; OutOfTime where it has none left."""
        if self.until is None:
            return self.endpoint.timeout_s
        left_s = self.until - time.monotonic()
        if left_s <= 0:
            raise OutOfTime(f"model {self.endpoint.model}: no time is left")
        return min(self.endpoint.timeout_s, left_s)

    def take(self) -> Job | None:
        """The next ask of the caller's iterator; None when there is none or the call has failed."""
        if self.error is None and not self._exhausted:
            try:
                ask = next(self.asks, None)
            except BaseException as error:
                # At once: another slot that finds the iterator at its end would take the call for done.
                self.fail(error)
                raise
            if ask is not None:
                return self.join(ask)
        self._exhausted = True
        self._finish_if_idle()
        return None

    def join(self, ask: Ask, *, split: bool = False) -> Job:
        """One more ask that the call waits for."""
        job = Job(self, ask, request_body(ask, self.endpoint.model), split)
        self._open += 1
        self._taken += 1
        return job

    def retried(self, setback: Setback) -> WorldError | None:
        """Count a retry; an outage must not multiply the requests, so a call has only so many, and then ends."""
        self._retries += 1
        if self._retries <= _FREE_RETRIES + self.endpoint.retries_per_row * self._taken:
            return None
        return WorldError(
            f"model {self.endpoint.model}: {self._retries} retries for {self._taken} requests, more than "
            f"retries_per_row allows; last: {setback.text}"
        )

    def settle(self) -> None:
        """One job has met its end, whichever it was."""
        self._open -= 1
        self._finish_if_idle()

    def fail(self, error: BaseException) -> None:
        """End the call: nothing new is asked; replies under way still reach the caller, then `done` raises."""
        if self.error is None:
            self.error = error
        self._finish_if_idle()

    def desert(self) -> None:
        """The caller no longer waits: call it back no more."""
        self.on_reply = _ignore
        self.on_failure = _ignore

    def _finish_if_idle(self) -> None:
        if self._open or self.done.done() or not (self._exhausted or self.error):
            return
        try:
            if self.purse is not None:
                self.purse.rest()
        except NightError as error:
            self.error = self.error or error
        if self.error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(self.error)


def key_of(endpoint: Endpoint) -> str | None:
    """The endpoint's API key.

    Raises:
        RecipeError: the variable that should hold it is not set.
    """
    if endpoint.key_env is None:
        return None
    key = os.environ.get(endpoint.key_env)
    if not key:
        raise RecipeError(f"the variable {endpoint.key_env}, which holds the API key, is not set", field="key_env")
    if not (key.isascii() and key.isprintable()):
        raise RecipeError(f"the variable {endpoint.key_env} holds something that is no API key", field="key_env")
    return key


def _ignore(*_: object) -> None:
    """Nobody waits for it any more."""
