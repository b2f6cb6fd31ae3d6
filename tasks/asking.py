"""Asking for a chunk's rows: what the journal has is not asked again, what can't be read is asked anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from pydantic import BaseModel

from blocks.client import client
from blocks.earlier import earlier
from blocks.fleet import outlast
from blocks.journal import Journal
from nightschool.chunks import Chunk
from nightschool.records import Dropped
from nightschool.retake import Flaw, Takes
from nightschool.wire import Ask, Endpoint, Reply
from tasks import progress
from tasks.night import Night
from tasks.spending import accounted
from tasks.step import Made

T = TypeVar("T")


class Counts(Protocol):
    """Whoever counts the rows that came in."""

    def rows(self, count: int = 1, *, reused: bool = False) -> None:
        """So many came in; `reused` ones were on file."""
        ...


class Uncounted:
    """For requests that are no rows of a chunk."""

    def rows(self, count: int = 1, *, reused: bool = False) -> None:
        """Shows nothing."""


class Asked:
    """A chunk's rows as they are asked: their replies, and the rows for which none came.

    A reply on file counts only if it answers what would be asked now: same prompt, seed, sampling and model.
    """

    def __init__(self, endpoint: Endpoint, journal: Journal, counts: Counts) -> None:
        self.failed: dict[str, Dropped] = {}
        self._endpoint, self._journal, self._counts = endpoint, journal, counts
        self._flaw: Flaw | None = None
        self._asks: dict[str, Ask] = {}
        self._begun: dict[str, Takes] = {}

    @property
    def replies(self) -> dict[str, Reply]:
        """By row id; none for a row that failed, or whose time was over first."""
        return {
            row_id: takes.reply
            for row_id in self._asks
            if row_id not in self.failed and (takes := self._begun.get(row_id)) and takes.requests
        }

    @property
    def figures(self) -> dict[str, int]:
        """What it cost: requests answered or given up, those that failed, tokens, retries."""
        got = [takes for takes in self._begun.values() if takes.requests]
        requests = sum(takes.requests for takes in got)
        return {
            "requests": requests + len(self.failed),
            "failed": len(self.failed),
            "retries": sum(takes.reply.attempts for takes in got) - requests,
            "tokens_in": sum(takes.reply.tokens_in for takes in got),
            "tokens_out": sum(takes.reply.tokens_out for takes in got),
        }

    def expect(self, asks: Iterable[Ask], flaw: Flaw | None) -> None:
        """The rows that are wanted."""
        self._asks, self._flaw = {ask.id: ask for ask in asks}, flaw

    def to_ask(self) -> Iterator[Ask]:
        """What is still wanted, as long as the replies can be kept.

        Raises:
            WorldError: nothing can be written any more, to this journal or another: a reply would be paid for and lost.
        """
        for ask in self._open():
            self._journal.check()
            yield ask

    def _open(self) -> Iterator[Ask]:
        """Rows that the journal knows nothing of come first, since they need no reading."""
        on_file = self._journal.replies
        for row_id in self._asks:
            if row_id not in on_file and row_id not in self.failed:
                yield from tuple(self._takes(row_id).wanted)
        for row_id in self._asks:
            if row_id in on_file and row_id not in self.failed:
                yield from tuple(self._takes(row_id).wanted)

    def keep(self, reply: Reply) -> Sequence[Ask]:
        """A reply: on file first, then read; what is to be asked because of it."""
        self._journal.append(reply)
        takes = self._takes(reply.id)
        more = takes.take(reply) or ()
        if not takes.wanted:
            self._counts.rows()
        return more

    def give_up(self, ask: Ask, reason: str, attempts: int, text: str) -> None:
        """No reply; a sample that has an unusable one keeps that."""
        takes = self._takes(ask.id)
        if not takes.lose(ask):
            detail = f"{attempts} attempts on {self._endpoint.model}"
            self.failed[ask.id] = Dropped(
                id=ask.id, reason=reason, failed=True, attempts=attempts, detail=detail, text=text[:2000]
            )
        if not takes.wanted:
            self._counts.rows()

    def _takes(self, row_id: str) -> Takes:
        """A row's samples, begun with what the journal has of them."""
        if row_id not in self._begun:
            takes = Takes(self._asks[row_id], flaw=self._flaw, max_model_len=self._endpoint.max_model_len)
            self._begun[row_id] = takes
            for reply in self._journal.replies.get(row_id, ()):
                if reply.model == self._endpoint.model:
                    takes.take(reply)
            if not takes.wanted:
                self._counts.rows(reused=True)
        return self._begun[row_id]


def ask(
    night: Night,
    chunk: Chunk,
    endpoint: Endpoint,
    asks: Sequence[Ask],
    *,
    flaw: Flaw | None,
    counts: Counts | None = None,
) -> Asked:
    """Every row's reply, from the chunk's journal or an earlier one where it is on file, else from the endpoint.

    Args:
        flaw: why a choice can't be used, so that it is asked anew; None where the choices themselves are measured.
        counts: the phase's own if left out.

    Raises:
        WorldError: the server is gone, or the budget is spent; what came before that is in the journal.
    """
    paid = earlier(night.store.earlier(chunk)).of(one.id for one in asks)
    journalled = Journal(night.store.journal(chunk), paid)
    with accounted(night, chunk.part, endpoint) as endpoint, journalled as journal:
        asked = Asked(endpoint, journal, counts or progress.tracker(chunk.phase))
        asked.expect(asks, flaw)
        outlast(endpoint, lambda: client().ask_all(endpoint, asked.to_ask(), asked.keep, asked.give_up))
    return asked


def ask_each(
    night: Night,
    chunk: Chunk,
    endpoint: Endpoint,
    things: Sequence[T],
    *,
    ask_of: Callable[[T], Ask],
    flaw: Flaw | None,
    read: Callable[[T, Reply], Iterable[BaseModel]],
    topic_of: Callable[[T], str],
) -> Made:
    """A chunk made by asking about each thing once.

    Args:
        flaw: as in `ask`.
        read: the rows that a reply makes; those that are `Dropped` are dropped.
        topic_of: what a thing is counted under when no reply came.

    Raises:
        WorldError: the server is gone; what came before that is in the journal.
    """
    asks = {one.id: (thing, one) for thing in things for one in [ask_of(thing)]}
    asked = ask(night, chunk, endpoint, [one for _, one in asks.values()], flaw=flaw)
    replies = asked.replies
    lost = [row.model_copy(update={"topic": topic_of(asks[row.id][0])}) for row in asked.failed.values()]
    found = [row for row_id, reply in replies.items() for row in read(asks[row_id][0], reply)]
    judged = (row for row in found if isinstance(row, Dropped))
    dropped = [*(row.model_copy(update={"attempts": replies[row.id].attempts}) for row in judged), *lost]
    return Made(
        rows=[row for row in found if not isinstance(row, Dropped)],
        dropped=[(row.reason, row) for row in dropped],
        figures=asked.figures,
    )
