"""One blocking call of the client: its asks on the way out, its replies and failures on the way back."""

from __future__ import annotations

import concurrent.futures
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import aiohttp

from nightschool.errors import RecipeError
from nightschool.wire import Ask, Endpoint, Reply

Failure = Literal["no_reply", "rate_limited", "server_error", "broken_reply"]

_CONNECT_TIMEOUT_S = 10.0
_BACKOFF_S = 0.25
_MAX_BACKOFF_S = 30.0
_LAST_TEXT_CHARS = 2_000


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
    """An ask on its way: `attempts` counts the requests that reached a server."""

    call: Call
    ask: Ask
    attempts: int = 0

    def backoff_s(self) -> float:
        """Exponential with full jitter, the same for the same ask and attempt."""
        draw = random.Random(f"{self.ask.seed}:{self.ask.id}:{self.attempts}").random()
        return draw * min(_MAX_BACKOFF_S, _BACKOFF_S * 2**self.attempts)


class Setback(Exception):
    """A request that the world failed; `reached` is False when no connection came about."""

    def __init__(self, reason: Failure, text: str, *, retry_after_s: float = 0.0, reached: bool = True) -> None:
        super().__init__(text)
        self.reason: Failure = reason
        self.text = text[:_LAST_TEXT_CHARS]
        self.retry_after_s = retry_after_s
        self.reached = reached


@dataclass(eq=False)
class Call:
    """One `ask_all` under way. Only the client's loop touches it, except for `done`."""

    endpoint: Endpoint
    key: str | None
    asks: Iterator[Ask]
    on_reply: Callable[[Reply], None]
    on_failure: Callable[[Ask, str, int, str], None]
    done: concurrent.futures.Future[None] = field(default_factory=concurrent.futures.Future)
    error: BaseException | None = None
    _open: int = 0
    _exhausted: bool = False

    def __post_init__(self) -> None:
        self.headers = {"Content-Type": "application/json"}
        if self.key:
            self.headers["Authorization"] = f"Bearer {self.key}"
        connect_s = min(_CONNECT_TIMEOUT_S, self.endpoint.timeout_s)
        self.timeout = aiohttp.ClientTimeout(total=self.endpoint.timeout_s, sock_connect=connect_s)

    def take(self) -> Job | None:
        """The next ask of the caller's iterator; None when there is none or the call has failed."""
        if self.error is None and not self._exhausted:
            ask = next(self.asks, None)
            if ask is not None:
                self._open += 1
                return Job(self, ask)
        self._exhausted = True
        self._finish_if_idle()
        return None

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
    return key


def _ignore(*_: object) -> None:
    """Nobody waits for it any more."""
