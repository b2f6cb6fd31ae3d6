"""From an endpoint's limits a minute to when the next request may go out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from nightschool.wire import Ask, Reply

# A request that was long on its way and the next one that was not must not meet in one minute of the server's.
_MINUTE_S = 61.0


@dataclass(slots=True)
class Sent:
    """What a request was charged when it went out; `counts` until its minute is over."""

    at: float
    tokens: float
    counts: bool = True


@dataclass(slots=True)
class _Limit:
    """So many units a minute: never more in any minute, and no more at once than a second's worth (one at least)."""

    per_minute: float
    level: float = 0.0
    filled: float = -_MINUTE_S
    charges: deque[Sent] = field(default_factory=deque)
    charged: float = 0.0

    def pace_s(self, now: float) -> float:
        """Seconds until one unit is there; a request may take more than there is, and those after it wait."""
        most = max(1.0, self.per_minute / 60)
        self.level = min(most, self.level + (now - self.filled) * self.per_minute / 60)
        self.filled = now
        return max(0.0, 1.0 - self.level) * 60 / self.per_minute

    def room_s(self, units: float, now: float) -> float:
        """Seconds until so many fit into the minute; what is more than a minute's worth has one of its own."""
        while self.charges and self.charges[0].at <= now - _MINUTE_S:
            oldest = self.charges.popleft()
            oldest.counts = False
            self.charged -= oldest.tokens
        over = self.charged + units - self.per_minute
        wait_s = 0.0
        for one in self.charges:
            if over <= 0:
                break
            over, wait_s = over - one.tokens, one.at + _MINUTE_S - now
        return wait_s

    def charge(self, one: Sent) -> None:
        self.level -= one.tokens
        self.charged += one.tokens
        self.charges.append(one)

    def give_back(self, one: Sent, used: float) -> None:
        """A request has used less, or more, than it was charged."""
        self.level += one.tokens - used
        self.charged += used - one.tokens if one.counts else 0
        one.tokens = used


class Meter:
    """Requests and tokens per minute over all replicas of an endpoint; spread evenly, since servers count in seconds.

    A request is charged its prompt (four bytes a token) and its `max_tokens` when it goes out, as servers do; what
    it did not use is given back when it returns.
    """

    def __init__(
        self,
        requests_per_minute: int | None,
        tokens_per_minute: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = _Limit(requests_per_minute) if requests_per_minute else None
        self._tokens = _Limit(tokens_per_minute) if tokens_per_minute else None
        self._clock = clock
        self.limited = bool(self._requests or self._tokens)

    def pace_s(self) -> float:
        """Seconds until a next request may go out, whatever it asks."""
        limits = [limit for limit in (self._requests, self._tokens) if limit]
        return max(limit.pace_s(self._clock()) for limit in limits) if limits else 0.0

    def room_s(self, body: bytes, ask: Ask) -> float:
        """Seconds until this very request may go out."""
        now = self._clock()
        requests_s = self._requests.room_s(1, now) if self._requests else 0.0
        return max(requests_s, self._tokens.room_s(_tokens(body, ask), now)) if self._tokens else requests_s

    def sent(self, body: bytes, ask: Ask) -> Sent | None:
        """Charge a request that goes out."""
        if not self.limited:
            return None
        now = self._clock()
        if self._requests:
            self._requests.charge(Sent(now, 1))
        charged = Sent(now, _tokens(body, ask)) if self._tokens else None
        if self._tokens and charged:
            self._tokens.charge(charged)
        return charged

    def ended(self, charged: Sent | None, reply: Reply | None) -> None:
        """Give back what a request did not use; one without a reply has used what it was charged."""
        if self._tokens and charged and reply is not None:
            self._tokens.give_back(charged, reply.tokens_in + reply.tokens_out)


def _tokens(body: bytes, ask: Ask) -> int:
    return len(body) // 4 + ask.sampling.max_tokens * ask.sampling.samples
