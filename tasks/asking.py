"""Asking for a chunk's rows: what the journal has is not asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from blocks.client import client
from blocks.fleet import outlast
from blocks.journal import Journal, replies
from nightschool.chunks import Chunk
from nightschool.records import Dropped
from nightschool.wire import Ask, Endpoint, Reply
from tasks import progress
from tasks.night import Night
from tasks.step import Made

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """Replies by row id, and the rows for which none came."""

    replies: dict[str, Reply]
    failed: list[Dropped]
    reused: int

    @property
    def figures(self) -> dict[str, int]:
        """What it cost: requests paid for, tokens, retries."""
        got = self.replies.values()
        return {
            "requests": len(self.replies) + len(self.failed),
            "retries": sum(reply.attempts - 1 for reply in got),
            "tokens_in": sum(reply.tokens_in for reply in got),
            "tokens_out": sum(reply.tokens_out for reply in got),
        }


def ask(night: Night, chunk: Chunk, endpoint: Endpoint, asks: Sequence[Ask]) -> Asked:
    """Every row's reply, from the chunk's journal where it is on file, else from the endpoint.

    Raises:
        WorldError: the server is gone; what came before that is in the journal.
    """
    path = night.store.journal(chunk)
    counts = progress.tracker(chunk.phase)
    wanted = {one.id for one in asks}
    with Journal(path) as journal:
        have = {reply.id: reply for reply in replies(path) if reply.id in wanted}
        failed: list[Dropped] = []
        reused = len(have)
        counts.rows(reused, reused=True)

        def keep(reply: Reply) -> None:
            journal.append(reply)
            have[reply.id] = reply
            counts.rows()

        def give_up(one: Ask, reason: str, attempts: int, text: str) -> None:
            detail = f"{attempts} attempts on {endpoint.model}"
            failed.append(Dropped(id=one.id, reason=reason, detail=detail, text=text[:2000]))
            counts.rows()

        def ask_rest() -> None:
            gone = {one.id for one in failed}
            rest = [one for one in asks if one.id not in have and one.id not in gone]
            client().ask_all(endpoint, rest, keep, give_up)

        outlast(endpoint, ask_rest)
    return Asked(have, failed, reused)


def ask_each(
    night: Night,
    chunk: Chunk,
    endpoint: Endpoint,
    things: Sequence[T],
    *,
    ask_of: Callable[[T], Ask],
    read: Callable[[T, Reply], Iterable[BaseModel]],
    topic_of: Callable[[T], str],
) -> Made:
    """A chunk made by asking about each thing once.

    Args:
        read: the rows that a reply makes; those that are `Dropped` are dropped.
        topic_of: what a thing is counted under when no reply came.

    Raises:
        WorldError: the server is gone; what came before that is in the journal.
    """
    asks = {one.id: (thing, one) for thing in things for one in [ask_of(thing)]}
    asked = ask(night, chunk, endpoint, [one for _, one in asks.values()])
    lost = [row.model_copy(update={"topic": topic_of(asks[row.id][0])}) for row in asked.failed]
    found = [row for key, (thing, _) in asks.items() if key in asked.replies for row in read(thing, asked.replies[key])]
    dropped = [*(row for row in found if isinstance(row, Dropped)), *lost]
    return Made(
        rows=[row for row in found if not isinstance(row, Dropped)],
        dropped=[(row.reason, row) for row in dropped],
        figures=asked.figures,
    )
