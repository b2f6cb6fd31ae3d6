"""What came of timed requests as rows with their times, and what they cost: read when all bytes of a pass are here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from blocks.call import Counters
from blocks.client import client
from blocks.connection import Answer
from blocks.streamed import Run, Streamed
from nightschool.errors import WorldError
from nightschool.recipe.timing import TimedKind
from nightschool.records import Dropped
from nightschool.timing import Broken, Heard, Pass, Timed, hear
from nightschool.wire import Ask
from tasks.step import Made

Parse = Callable[[bytes], Any]


@dataclass
class TimedRows:
    """What came of each pass, read when all its bytes were here."""

    kind: TimedKind
    asks: Sequence[Ask]
    parse: Parse
    rows: list[Timed] = field(default_factory=list)
    lost: list[Dropped] = field(default_factory=list)
    totals_s: dict[str, float] = field(default_factory=dict)
    counts: Counters = field(default_factory=Counters)

    def begin(self) -> None:
        """From the start: what a server that died has told is no part of another's times."""
        self.rows, self.lost, self.totals_s, self.counts = [], [], {}, Counters()

    def take(self, one: Pass, run: Run) -> None:
        """Read a pass.

        Raises:
            WorldError: the server could not be reached.
        """
        self.totals_s[one.name] = round(run.total_s, 6)
        for place, reply in enumerate(run.replies):
            ask = self.asks[one.first + place]
            row = self._read(one, place // one.batch_size, f"{one.name}/{ask.id}", reply)
            (self.rows if isinstance(row, Timed) else self.lost).append(row)  # pyright: ignore[reportArgumentType]
            for put in filter(None, (reply, reply.first)):
                self.counts.sent += put.attempts
                self.counts.retries += put.attempts - 1
                self.counts.replies += isinstance(row, Timed)
                self.counts.failures += isinstance(row, Dropped)

    def made(self) -> Made:
        """The rows, the lost ones, and what it cost."""
        counts = self.counts
        client().count(counts)
        failed = sum(row.failed for row in self.lost)
        cost = {"requests": counts.replies + counts.failures, "failed": failed, "retries": counts.retries}
        tokens = {"tokens_in": counts.tokens_in, "tokens_out": counts.tokens_out}
        figures = {**cost, **tokens, "totals_s": self.totals_s}
        return Made(rows=self.rows, dropped=[(row.reason, row) for row in self.lost], figures=figures)

    def _read(self, one: Pass, batch: int, row_id: str, reply: Streamed) -> Timed | Dropped:
        try:
            before, heard = self._heard(reply.first), self._heard(reply)
        except _Lost as lost:
            return lost.row.model_copy(update={"id": row_id})
        assert heard is not None
        draft_s = before.e2el_s if before else 0.0
        ttft_s = None if heard.ttft_s is None else round(draft_s + heard.ttft_s, 6)
        return Timed(
            id=row_id, of=self.kind, way=one.way, warm=one.warm, batch=batch, ttft_s=ttft_s,
            itl_s=tuple(round(gap, 6) for gap in heard.itl_s), e2el_s=round(draft_s + heard.e2el_s, 6),
            tokens_in=heard.tokens_in, tokens_out=heard.tokens_out, draft_s=round(draft_s, 6) if before else None,
        )  # fmt: skip

    def _heard(self, reply: Streamed | None) -> Heard | None:
        """A reply's times; its tokens are paid for.

        Raises:
            _Lost: it is none.
            WorldError: the server could not be reached.
        """
        if reply is None:
            return None
        answer = reply.answer
        if not isinstance(answer, Answer):
            if not answer.reached:
                raise WorldError(f"no times can be taken: {answer}")
            raise _Lost("no_reply", reply.attempts, str(answer))
        try:
            if answer.status != 200:
                raise Broken(f"status {answer.status}: {answer.body[:300].decode('utf-8', 'replace')}")
            heard = hear(answer.body, answer.arrived, reply.sent, parse=self.parse)
        except Broken as err:
            refused = 400 <= answer.status < 500
            raise _Lost("refused" if refused else "broken_reply", reply.attempts, str(err)) from None
        self.counts.tokens_in += heard.tokens_in
        self.counts.tokens_out += heard.tokens_out
        return heard


class _Lost(Exception):
    """A request without a reply that could be timed; `row` says why."""

    def __init__(self, reason: str, attempts: int, detail: str) -> None:
        super().__init__(detail)
        self.row = Dropped(id="", reason=reason, failed=True, attempts=attempts, detail=detail)
