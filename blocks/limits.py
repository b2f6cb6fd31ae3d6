"""From an endpoint's limits to when the next request may go out, and whether it can be afforded."""

from __future__ import annotations

import time
from dataclasses import dataclass

from nightschool.errors import BudgetSpent
from nightschool.wire import Ask, Endpoint, Reply

_PER_MILLION = 1e-6


@dataclass(slots=True)
class _Bucket:
    """Fills at a steady rate, up to one second's worth (one unit at least); may be overdrawn, and then has to fill."""

    per_minute: float
    level: float = 0.0
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level, self.at = self._most(), time.monotonic()

    def wait_s(self) -> float:
        """Seconds until one unit is there."""
        now = time.monotonic()
        self.level = min(self._most(), self.level + (now - self.at) * self.per_minute / 60)
        self.at = now
        return max(0.0, 1.0 - self.level) * 60 / self.per_minute

    def _most(self) -> float:
        return max(1.0, self.per_minute / 60)


class Meter:
    """Requests and tokens per minute over all replicas of an endpoint; spread evenly, since servers count in seconds.

    A request is charged its prompt (four bytes a token) and its `max_tokens` when it goes out, as servers do; what
    it did not use is given back when it returns.
    """

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
        self._requests = _Bucket(requests_per_minute) if requests_per_minute else None
        self._tokens = _Bucket(tokens_per_minute) if tokens_per_minute else None
        self.limited = bool(self._requests or self._tokens)

    def wait_s(self) -> float:
        """Seconds until the next request may go out."""
        if not self.limited:
            return 0.0
        return max((bucket.wait_s() for bucket in (self._requests, self._tokens) if bucket), default=0.0)

    def sent(self, body: bytes, ask: Ask) -> None:
        """Charge a request that goes out."""
        if self._requests:
            self._requests.level -= 1
        if self._tokens:
            self._tokens.level -= _tokens(body, ask)

    def ended(self, body: bytes, ask: Ask, reply: Reply | None) -> None:
        """Give back what a request did not use; one without a reply has used what it was charged."""
        if self._tokens and reply is not None:
            self._tokens.level += _tokens(body, ask) - reply.tokens_in - reply.tokens_out


@dataclass(slots=True)
class Purse:
    """An endpoint's budget: what is spent, and the worst that requests in flight can cost."""

    budget: float
    price_in: float
    price_out: float
    spent: float = 0.0
    held: float = 0.0

    @classmethod
    def of(cls, endpoint: Endpoint, budget: float) -> Purse:
        """The endpoint's, with what was spent before."""
        return cls(budget, endpoint.price_in, endpoint.price_out, spent=endpoint.spent)

    def hold(self, body: bytes, ask: Ask) -> bool:
        """Set the worst case of a request aside; False when that could overspend the budget."""
        worst = self._worst(body, ask)
        if self.spent + self.held + worst > self.budget:
            return False
        self.held += worst
        return True

    def settle(self, body: bytes, ask: Ask, reply: Reply | None, *, paid: bool = True) -> None:
        """A request has ended: it cost its tokens; its worst case if nobody knows; nothing when it is not `paid`."""
        worst = self._worst(body, ask)
        self.held -= worst
        if reply is not None and (reply.tokens_in or reply.tokens_out):
            self.spent += cost(self.price_in, self.price_out, reply.tokens_in, reply.tokens_out)
        elif paid:
            self.spent += worst

    def error(self, model: str) -> BudgetSpent:
        """What ends the asking."""
        return BudgetSpent(
            f"budget of model {model}: {self.spent:.4g} of {self.budget:.4g} is spent, and the next request could "
            "exceed it; rows so far are on file: raise the budget to go on"
        )

    def _worst(self, body: bytes, ask: Ask) -> float:
        # No tokenizer makes more tokens than there are bytes.
        return cost(self.price_in, self.price_out, len(body), ask.sampling.max_tokens * ask.sampling.samples)


def cost(price_in: float, price_out: float, tokens_in: int, tokens_out: int) -> float:
    """Money for so many tokens; prices are per million."""
    return (price_in * tokens_in + price_out * tokens_out) * _PER_MILLION


def _tokens(body: bytes, ask: Ask) -> int:
    return len(body) // 4 + ask.sampling.max_tokens * ask.sampling.samples
