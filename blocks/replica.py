"""One server of a lane as seen from here: how many requests it may have, and when it rests."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Literal

from blocks.call import Counters, Setback

State = Literal["up", "resting", "down"]

# So many failed probes in a row and a server shows as down.
_STRIKES_DOWN = 3
# Rests double from the first; a refused connection is cheap to try again.
_FIRST_REST_S, _MAX_REST_S, _MAX_REST_UNREACHED_S = 0.05, 8.0, 0.5


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
    """A server's URL and its health.

    In trouble means that as many requests in a row failed as it has slots, or that no connection came about: then it
    rests, and is probed with one request at a time until one succeeds. A strike is a failed probe.
    """

    base: str
    slots: int
    active: int = 0
    strikes: int = 0
    counted: Counters = field(default_factory=Counters)
    models: set[str] = field(default_factory=set)
    _failed_in_a_row: int = 0
    _rest_until: float = 0.0

    @property
    def url(self) -> str:
        return f"{self.base.rstrip('/')}/chat/completions"

    def limit(self) -> int:
        """Requests allowed in flight now."""
        if not self._in_trouble():
            return self.slots
        return 0 if time.monotonic() < self._rest_until else 1

    def stats(self) -> ReplicaStats:
        """Its numbers now; cheap, from any thread."""
        state = "up" if not self._in_trouble() else "down" if self.strikes >= _STRIKES_DOWN else "resting"
        return ReplicaStats(
            **asdict(self.counted),
            url=self.base,
            models=tuple(sorted(self.models.copy())),
            in_flight=self.active,
            limit=self.limit(),
            state=state,
        )

    def succeeded(self) -> bool:
        """Note a reply; True when it ends a time of trouble."""
        recovered = self._in_trouble()
        self._failed_in_a_row = self.strikes = 0
        return recovered

    def failed(self, setback: Setback) -> float:
        """Note a failure; the seconds of the rest that begins with it, or 0."""
        self._failed_in_a_row += 1 if setback.reached else self.slots
        now = time.monotonic()
        if not self._in_trouble() or now < self._rest_until:
            return 0.0
        self.strikes += 1
        most_s = _MAX_REST_S if setback.reached else _MAX_REST_UNREACHED_S
        rest_s = max(setback.retry_after_s, min(most_s, _FIRST_REST_S * 2**self.strikes))
        self._rest_until = now + rest_s
        return rest_s

    def _in_trouble(self) -> bool:
        return self._failed_in_a_row >= self.slots
