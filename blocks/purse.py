"""From a budget to whether the next request can be afforded, also after a kill."""

from __future__ import annotations

from pathlib import Path

import orjson

from blocks.disk import write_whole, writing
from nightschool.errors import BudgetSpent, DataError
from nightschool.wire import Ask, Endpoint, Reply

_PER_MILLION = 1e-6
# What is set aside at a time: each time is a write that the disk must keep, and what a kill may find set aside.
_SET_ASIDE = 0.01


class Purse:
    """An endpoint's budget: what is spent, and the worst that requests in flight can cost.

    Its account on file says at any moment at least as much as was spent: money is set aside there before a request
    that could cost it goes out, so that whoever goes on after a kill counts what nobody can know as spent.

    Raises:
        DataError: the account does not read.
        WorldError: it cannot be written; then nothing goes out.
    """

    def __init__(self, endpoint: Endpoint, budget: float) -> None:
        self.held, self._under_way = 0.0, 0
        self._budget, self._model = budget, endpoint.model
        self._price_in, self._price_out = endpoint.price_in, endpoint.price_out
        self._account = Path(endpoint.account) if endpoint.account else None
        self.spent = self._on_file = spent_at_most(self._account) if self._account else 0.0

    def hold(self, body: bytes, ask: Ask) -> bool:
        """Set the worst case of a request aside; False when that could overspend the budget."""
        wanted = self.spent + self.held + self._worst(body, ask)
        if wanted > self._budget:
            return False
        if wanted > self._on_file:
            self._write(min(self._budget, wanted + _SET_ASIDE * self._budget))
        self.held, self._under_way = wanted - self.spent, self._under_way + 1
        return True

    def settle(self, body: bytes, ask: Ask, reply: Reply | None, *, paid: bool = True) -> None:
        """A request has ended: it cost its tokens; its worst case if nobody knows; nothing when it is not `paid`."""
        worst = self._worst(body, ask)
        self._under_way -= 1
        self.held = self.held - worst if self._under_way else 0.0
        if reply is not None and (reply.tokens_in or reply.tokens_out):
            self.spent += cost(self._price_in, self._price_out, reply.tokens_in, reply.tokens_out)
        elif paid:
            self.spent += worst

    def rest(self) -> None:
        """A call has ended: what was set aside and is not needed goes back, unless others are under way."""
        if not self._under_way and self._on_file != self.spent:
            self._write(self.spent)

    def error(self) -> BudgetSpent:
        """What ends the asking."""
        return BudgetSpent(
            f"budget of model {self._model}: {self.spent:.4g} of {self._budget:.4g} is spent, and the next request "
            "could exceed it; rows so far are on file: raise the budget to go on"
        )

    def _worst(self, body: bytes, ask: Ask) -> float:
        # No tokenizer makes more tokens than there are bytes.
        return cost(self._price_in, self._price_out, len(body), ask.sampling.max_tokens * ask.sampling.samples)

    def _write(self, amount: float) -> None:
        if self._account:
            with writing(self._account.parent):
                write_whole(self._account, orjson.dumps({"spent_at_most": amount}))
        self._on_file = amount


def spent_at_most(account: Path) -> float:
    """What an account says was spent; nothing if there is none yet.

    Raises:
        DataError: it does not read.
    """
    try:
        return float(orjson.loads(account.read_bytes())["spent_at_most"])
    except FileNotFoundError:
        return 0.0
    except (ValueError, KeyError, TypeError):
        raise DataError("what was spent so far cannot be read: write the bill in its place", file=account) from None


def cost(price_in: float, price_out: float, tokens_in: int, tokens_out: int) -> float:
    """Money for so many tokens; prices are per million."""
    return (price_in * tokens_in + price_out * tokens_out) * _PER_MILLION
