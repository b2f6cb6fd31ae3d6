"""One attempt: from a job to its reply, or to what went wrong."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from blocks.call import Job, Setback
from blocks.chat import BrokenReply, read_body, read_error
from blocks.connection import Answer, NoAnswer
from blocks.replica import Replica
from nightschool.errors import OutOfTime
from nightschool.wire import Reply

_RETRIED_4XX = frozenset({408, 425, 429})
_MAX_RETRY_AFTER_S = 600.0


class Refused(Exception):
    """The server will not answer this request, however often it is asked; the text is its own words."""

    paid = False

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def exchange(replica: Replica, job: Job) -> tuple[Reply, int]:
    """The reply, and how many of its tokens in came from the server's cache.

    Raises:
        Setback: the world failed.
        Refused: any other status than success.
        OutOfTime: the call's time is over, which says nothing of the server.
    """
    endpoint, ask, started = job.call.endpoint, job.ask, time.perf_counter()
    timeout_s = job.call.left_s()
    try:
        answer = await replica.server.ask(replica.head(job.call.key), job.body, timeout_s)
    except NoAnswer as err:
        if err.late and timeout_s < endpoint.timeout_s:
            raise OutOfTime(f"model {endpoint.model}: no answer within the {timeout_s:.1f} s that were left") from None
        pushed = err.late and err.reached
        raise Setback("no_reply", str(err), reached=err.reached, pushed_back=pushed, paid=err.reached) from None
    if answer.status != 200:
        raise _failure(job.call.key, answer)
    try:
        choices, tokens_in, tokens_out, tokens_cached = read_body(answer.body)
    except BrokenReply as err:
        text = f"{err}: {answer.body[:1000].decode('utf-8', 'replace')}"
        raise Setback("broken_reply", text, paid=True) from None
    reply = Reply(
        id=ask.id,
        model=endpoint.model,
        seed=ask.seed,
        choices=choices,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        latency_s=answer.arrived[-1][0] - started,  # what reading it takes is ours, and no part of it
        attempts=job.attempts + 1,
        prompt=ask.prompt_key,
        sampling=ask.sampling,
        sample=ask.sample,
        again=ask.again,
    )
    return reply, tokens_cached


def _failure(key: str | None, answer: Answer) -> Setback | Refused:
    """What a status other than 200 means; the server's own words may quote the key, which no message of ours shows."""
    status, said = answer.status, read_error(answer.body)
    if key:
        said = said.replace(key, "***")
    wait_s = _seconds(answer)
    if status == 429:
        return Setback("rate_limited", said, retry_after_s=wait_s, pushed_back=True)
    if status >= 500 or status in _RETRIED_4XX:
        text = f"status {status}: {said}"
        return Setback("server_error", text, retry_after_s=wait_s, pushed_back=status == 503)
    return Refused(status, said)


def _seconds(answer: Answer) -> float:
    """Retry-After, in seconds or as a date; a date is held against the server's own, for clocks differ."""
    said = answer.retry_after or "0"
    try:
        wait_s = float(said) if not said[:1].isalpha() else _moment(said) - _moment(answer.date or "")
    except ValueError:
        return 0.0
    return min(_MAX_RETRY_AFTER_S, max(0.0, wait_s))


def _moment(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()
