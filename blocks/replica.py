"""One server of a lane as seen from here: how many requests it may have, when it rests, what it has done."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Literal

from blocks.call import Counters, Job, Setback
from blocks.connection import Server
from blocks.window import Reach, Window
from nightschool.wire import Reply

State = Literal["up", "resting", "down"]

# Rests double from the first; a refused connection is cheap to try again.
_FIRST_REST_S, _MAX_REST_S, _MAX_REST_UNREACHED_S = 0.05, 8.0, 0.5
# So many failed probes in a row and a server shows as down.
_STRIKES_DOWN = 3
# A few slots must not take a few failures for an outage: where half of the requests fail, four in a row are common.
_LEAST_IN_A_ROW = 8


@dataclass(slots=True)
class ReplicaStats(Counters):
    """One server's numbers since the client was made, for operators.

    `url` is the base that ends in /v1, `models` the names asked of it so far; `in_flight` of at most `limit` requests
    are under way now. State: `resting` after trouble, `down` when several probes in a row have failed.
    """

    url: str = ""
    models: tuple[str, ...] = ()
    in_flight: int = 0
    limit: int = 0
    state: State = "up"


@dataclass(eq=False)
class Replica:
    """A server's connections, its health and its numbers; `most` slots if that is more, and brings more.

    In trouble means that as many requests in a row failed as it may have in flight (eight at least), or that no
    connection came about: then it rests, and is probed with one request at a time until one succeeds. A strike is a
    failed probe.
    """

    base: str
    slots: int
    most: int = 0
    index: int = 0
    active: int = 0
    strikes: int = 0
    counted: Counters = field(default_factory=Counters)
    models: set[str] = field(default_factory=set)
    _trouble: bool = False
    _failed_in_a_row: int = 0
    _rest_until: float = 0.0

    def __post_init__(self) -> None:
        self.server = Server(self.base)
        self._window = Window(self.slots, Reach(self.most))
        self._heads: dict[str | None, bytes] = {}

    def head(self, key: str | None) -> bytes:
        """The first lines of a chat request."""
        if key not in self._heads:
            self._heads[key] = self.server.head("POST", "/chat/completions", key)
        return self._heads[key]

    def limit(self) -> int:
        """Requests allowed in flight now."""
        if not self._trouble:
            return self._window.requests
        return 0 if self.rest_s() else 1

    def rest_s(self) -> float:
        """Seconds that it is still to be left alone."""
        return max(0.0, self._rest_until - time.monotonic())

    def stats(self) -> ReplicaStats:
        """Its numbers now; cheap, from any thread."""
        state = "up" if not self._trouble else "down" if self.strikes >= _STRIKES_DOWN else "resting"
        return ReplicaStats(
            **asdict(self.counted),
            url=self.base,
            models=tuple(sorted(self.models.copy())),
            in_flight=self.active,
            limit=self.limit(),
            state=state,
        )

    def count(self, job: Job, reply: Reply | None = None, tokens_cached: int = 0) -> None:
        """Count a request that reached the server."""
        job.attempts += 1
        counted = self.counted
        counted.sent += 1
        counted.retries += job.attempts > 1
        if reply is not None:
            counted.replies += 1
            counted.tokens_in += reply.tokens_in
            counted.tokens_out += reply.tokens_out
            counted.tokens_cached += tokens_cached
            counted.latency_s += reply.latency_s

    def succeeded(self, *, soon: bool) -> bool:
        """Note a reply, `soon` if with twice as many in flight it would be in time too; True when more are allowed."""
        before = self.limit()
        self._failed_in_a_row = self.strikes = 0
        self._trouble = False
        self._window.note(pushed_back=False, full=soon and self.active >= before)
        return self._window.requests > before

    def failed(self, setback: Setback) -> bool:
        """Note a failure; True when a rest begins with it."""
        if setback.reached:
            self._window.note(pushed_back=setback.pushed_back)
        most_in_a_row = max(_LEAST_IN_A_ROW, self._window.requests)
        self._failed_in_a_row += 1 if setback.reached else most_in_a_row
        self._trouble = self._failed_in_a_row >= most_in_a_row
        now = time.monotonic()
        if not self._trouble or now < self._rest_until:
            return False
        self.strikes += 1
        most_s = _MAX_REST_S if setback.reached else _MAX_REST_UNREACHED_S
        rest_s = max(setback.retry_after_s, min(most_s, _FIRST_REST_S * 2**self.strikes))
        self._rest_until = now + rest_s
        return True
