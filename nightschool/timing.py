"""From the bytes of a streamed reply and when they came to the times of a request, as vLLM's benchmark defines them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import orjson

from nightschool.recipe.timing import Terms, TimedKind
from nightschool.records import Row

RULES_VERSION = 2

# plain: one by one and not streamed, by a client that is none of ours.
Way = Literal["batched", "single", "plain"]
Arrived = Sequence[tuple[float, int]]


class Timed(Row):
    """One request and its times in seconds; times are no part of what names a row, a chunk or a key.

    `ttft_s`: to the first token; `itl_s`: between a token and the next, as they came; `e2el_s`: to the last one. A
    reply that came in one piece has the last alone. `batch` counts from 0 within its pass. Where a draft is asked for
    first, `draft_s` of it lie in the time to the first token and in the whole; tokens are the answer's.
    """

    of: TimedKind
    way: Way
    warm: bool
    batch: int
    ttft_s: float | None
    itl_s: tuple[float, ...]
    e2el_s: float
    tokens_in: int
    tokens_out: int
    draft_s: float | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """Requests `first` to `first + rows`, so many at once; cold: each for the first time, warm: asked before."""

    way: Way
    warm: bool
    batch_size: int
    first: int
    rows: int

    @property
    def name(self) -> str:
        return f"{self.way}-{'warm' if self.warm else 'cold'}"

    @property
    def batches(self) -> Iterator[range]:
        """Places of the requests that are put at once, batch by batch."""
        last = self.first + self.rows
        return (range(at, min(at + self.batch_size, last)) for at in range(self.first, last, self.batch_size))


class Heard(NamedTuple):
    """What one reply says of itself, and its times; see `Timed`."""

    ttft_s: float | None
    itl_s: tuple[float, ...]
    e2el_s: float
    tokens_in: int
    tokens_out: int


class Broken(ValueError):
    """A body that is neither a stream of chat events nor a chat reply."""


def passes(count: int, *, timed: int, terms: Terms | None) -> tuple[Pass, ...]:
    """In which order and company requests are timed.

    Under a contest's terms: its batches on a fresh server, then others one by one, and both again, now warm; last the
    reference. Without one, one by one alone. Where there are too few for both, they are shared out.

    Args:
        count: how many different requests there are.
        timed: how many are wanted one by one.
    """
    if terms is None:
        return (Pass("single", True, 1, 0, min(timed, count)),) if count else ()
    batched = min(terms.rows, max(count - timed, (count + 1) // 2))
    single = min(timed, count - batched)
    ways: tuple[tuple[Way, int, int, int], ...] = (
        ("batched", terms.batch_size, 0, batched),
        ("single", 1, batched, single),
    )
    found = [Pass(way, warm, size, first, rows) for warm in (False, True) for way, size, first, rows in ways]
    return tuple(one for one in (*found, Pass("plain", True, 1, batched, single)) if one.rows)


def hear(body: bytes, arrived: Arrived, sent: float, *, parse: Callable[[bytes], Any] = orjson.loads) -> Heard:
    """The times of one reply, all of whose bytes are here: how long reading them takes counts nowhere.

    As vLLM's benchmark has it, the first event with choices ends the time to the first token, each later one ends a
    time between tokens, and the last one the whole; usage and [DONE] are no tokens.

    Args:
        arrived: moments, and how many bytes of the body were there by then; rising.
        sent: the moment at which the request began, by the same clock.
        parse: reads an event's JSON.

    Raises:
        Broken: neither a stream of chat events nor a chat reply, or one without a token.

    Source: vllm.benchmarks.lib.endpoint_request_func, async_request_openai_chat_completions (vLLM 0.32).
    """
    try:
        if body.lstrip().startswith(b"{"):
            return _in_one_piece(parse(body), arrived, sent)
        sizes = [size for _, size in arrived]
        moments: list[float] = []
        usage: dict[str, Any] = {}
        for end, event in _events(body):
            record = parse(event)
            if record.get("choices"):
                moments.append(arrived[min(bisect_left(sizes, end), len(sizes) - 1)][0] - sent)
            usage = record.get("usage") or usage
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as err:
        raise Broken(f"not a chat stream ({type(err).__name__}: {err})") from None
    if not moments:
        raise Broken(f"no token: {body[:300].decode('utf-8', 'replace')}")
    gaps = tuple(after - before for before, after in pairwise(moments))
    return Heard(moments[0], gaps, moments[-1], *_tokens(usage, len(moments)))


def _events(body: bytes) -> Iterator[tuple[int, bytes]]:
    """What each event carries, and how many bytes of the body its end takes; comments and [DONE] left out."""
    end = 0
    for line in body.split(b"\n"):
        end += len(line) + 1
        data = line.strip().removeprefix(b"data:").strip()
        if line.startswith(b"data:") and data != b"[DONE]":
            yield min(end, len(body)), data


def _in_one_piece(record: dict[str, Any], arrived: Arrived, sent: float) -> Heard:
    if not record["choices"]:
        raise Broken("a reply without choices")
    return Heard(None, (), arrived[-1][0] - sent, *_tokens(record.get("usage") or {}, 0))


def _tokens(usage: dict[str, Any], counted: int) -> tuple[int, int]:
    return int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or counted)
