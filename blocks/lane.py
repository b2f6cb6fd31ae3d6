"""From jobs to requests: the slots of one group of replicas, and what happens when a replica fails."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from blocks.call import Call, Job, Setback
from blocks.chat import BrokenReply, read_body, read_error, request_body
from blocks.replica import Replica
from nightschool.errors import DataError, NightError, WorldError
from nightschool.wire import Reply

_RETRIED_4XX = frozenset({408, 425, 429})
_MAX_RETRY_AFTER_S = 600.0
# So many probes in a row, per attempt that a row has, and a server counts as down.
_STRIKES_PER_ATTEMPT = 3
_RESTING_PER_SLOT = 4


@dataclass(slots=True)
class _Slot:
    """What one worker is at: the call it took from, and the job while it is unsettled."""

    call: Call | None = None
    job: Job | None = None


class Lane:
    """Replicas that serve the same, each with the same number of slots, and the calls that share them.

    The first call is served first; a slot that it leaves free goes to the next. A slot belongs to a replica, so the
    replica that answers faster takes more of the work.
    """

    def __init__(self, urls: Sequence[str], slots: int, session: aiohttp.ClientSession) -> None:
        self.replicas = [Replica(url, slots) for url in urls]
        self._session = session
        self._calls: deque[Call] = deque()
        self._retries: deque[Job] = deque()
        self._resting: dict[Job, asyncio.TimerHandle] = {}
        self._workers: dict[asyncio.Task[None], tuple[Replica, _Slot]] = {}

    def add(self, call: Call) -> None:
        """Serve a call after those that came before it."""
        for replica in self.replicas:
            replica.models.add(call.endpoint.model)
        self._calls.append(call)
        self._feed()

    def end(self, call: Call, error: BaseException) -> None:
        """Fail a call without waiting for its jobs that rest before their next attempt."""
        for job in [job for job in self._resting if job.call is call]:
            self._resting.pop(job).cancel()
            call.settle()
        call.fail(error)

    async def close(self) -> None:
        """End every call with WorldError and every request under way."""
        self._end_all(WorldError("the client was closed while asking"))
        for task in self._workers:
            task.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _feed(self) -> None:
        """Put a worker on every free slot while there is work, least-loaded replica first."""
        while self._may_take():
            free = [replica for replica in self.replicas if replica.active < replica.limit()]
            if not free:
                return
            replica, slot = min(free, key=lambda one: one.active), _Slot()
            replica.active += 1
            task = asyncio.get_running_loop().create_task(self._work(replica, slot))
            self._workers[task] = replica, slot
            task.add_done_callback(self._worker_ended)

    def _may_take(self) -> bool:
        """Whether there is work; nothing new while many jobs rest, so that an outage does not take in every row."""
        room = len(self._resting) < _RESTING_PER_SLOT * sum(replica.slots for replica in self.replicas)
        return bool(self._retries) or (bool(self._calls) and room)

    def _take(self, slot: _Slot) -> Job | None:
        while self._may_take():
            if self._retries:
                job = self._retries.popleft()
                slot.call, slot.job = job.call, job
                if job.call.error is None:
                    return job
                job.call.settle()
                continue
            slot.call = self._calls[0]
            slot.job = slot.call.take()
            if slot.job is not None:
                return slot.job
            self._calls.popleft()
        return None

    async def _work(self, replica: Replica, slot: _Slot) -> None:
        while replica.active <= replica.limit() and (job := self._take(slot)):
            try:
                reply, tokens_cached = await self._post(replica, job)
            except Setback as setback:
                self._set_back(replica, job, setback)
            except DataError as error:
                self.end(job.call, error)
                job.call.settle()
            else:
                _count(replica, job, reply, tokens_cached)
                job.call.on_reply(reply)
                job.call.settle()
                if replica.succeeded():
                    self._feed()
            slot.job = None

    def _worker_ended(self, task: asyncio.Task[None]) -> None:
        """Free the slot; what a caller's iterator or callback raised goes back to that caller."""
        replica, slot = self._workers.pop(task)
        replica.active -= 1
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None and slot.call is not None:
            self.end(slot.call, error)
            if slot.job is not None:
                slot.call.settle()
        self._feed()

    async def _post(self, replica: Replica, job: Job) -> tuple[Reply, int]:
        """One attempt: the reply, and how many of its tokens in came from the server's cache.

        Raises:
            Setback: the world failed.
            DataError: the server refuses the request as such.
        """
        call, ask, started = job.call, job.ask, time.perf_counter()
        try:
            async with self._session.post(
                replica.url,
                data=request_body(ask, call.endpoint.model),
                headers=call.headers,
                timeout=call.timeout,
                allow_redirects=False,
            ) as answer:
                status, retry_after, body = answer.status, answer.headers.get("Retry-After"), await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as err:
            raise Setback("no_reply", str(err), reached=False) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise Setback("no_reply", f"{type(err).__name__} {err}".strip()) from None
        if status != 200:
            raise _refusal(call, replica.url, status, retry_after, body)
        try:
            choices, *tokens = read_body(body)
        except BrokenReply as err:
            raise Setback("broken_reply", f"{err}: {body[:1000].decode('utf-8', 'replace')}") from None
        reply = Reply(
            id=ask.id,
            model=call.endpoint.model,
            seed=ask.seed,
            choices=choices,
            tokens_in=tokens[0],
            tokens_out=tokens[1],
            latency_s=time.perf_counter() - started,
            attempts=job.attempts + 1,
        )
        return reply, tokens[2]

    def _set_back(self, replica: Replica, job: Job, setback: Setback) -> None:
        """Decide what a failed attempt means for its job, its replica and, if all replicas are down, for all calls."""
        call, loop = job.call, asyncio.get_running_loop()
        rest_s = replica.failed(setback)
        if rest_s:
            loop.call_later(rest_s, self._feed)
        if not setback.reached:
            self._retries.append(job)
        elif _count(replica, job) or call.error is not None:
            call.settle()
        elif job.attempts >= call.endpoint.attempts:
            replica.counted.failures += 1
            call.on_failure(job.ask, setback.reason, job.attempts, setback.text)
            call.settle()
        else:
            delay_s = max(setback.retry_after_s, job.backoff_s())
            self._resting[job] = loop.call_later(delay_s, self._ask_again, job)
        if all(one.strikes >= _STRIKES_PER_ATTEMPT * call.endpoint.attempts for one in self.replicas):
            self._give_up(call, setback)

    def _ask_again(self, job: Job) -> None:
        del self._resting[job]
        self._retries.append(job)
        self._feed()

    def _give_up(self, call: Call, setback: Setback) -> None:
        where = ", ".join(replica.url for replica in self.replicas)
        tries = sum(replica.strikes for replica in self.replicas)
        for replica in self.replicas:
            replica.strikes = 0
        model = call.endpoint.model
        what = f"model {model} does not answer at {where}"
        self._end_all(WorldError(f"{what}: {tries} tries in a row failed; last: {setback.text}"))

    def _end_all(self, error: NightError) -> None:
        calls = {job.call for job in (*self._retries, *self._resting)} | set(self._calls)
        calls |= {slot.call for _, slot in self._workers.values() if slot.call is not None}
        for call in calls:
            self.end(call, error)


def _count(replica: Replica, job: Job, reply: Reply | None = None, tokens_cached: int = 0) -> None:
    """Count a request that reached a server."""
    job.attempts += 1
    counted = replica.counted
    counted.sent += 1
    counted.retries += job.attempts > 1
    if reply is not None:
        counted.replies += 1
        counted.tokens_in += reply.tokens_in
        counted.tokens_out += reply.tokens_out
        counted.tokens_cached += tokens_cached
        counted.latency_s += reply.latency_s


def _refusal(call: Call, url: str, status: int, retry_after: str | None, body: bytes) -> Setback | DataError:
    """What a status other than 200 means; the server's own words may quote the key, which no message of ours shows."""
    said = read_error(body)
    if call.key:
        said = said.replace(call.key, "***")
    if status == 429:
        return Setback("rate_limited", said, retry_after_s=_seconds(retry_after))
    if status >= 500 or status in _RETRIED_4XX:
        return Setback("server_error", f"status {status}: {said}", retry_after_s=_seconds(retry_after))
    return DataError(f"{url} refuses what model {call.endpoint.model} is asked (status {status}): {said}")


def _seconds(retry_after: str | None) -> float:
    """Retry-After in its form of seconds; the form with a date asks for two clocks that agree, and is left out."""
    try:
        return min(_MAX_RETRY_AFTER_S, max(0.0, float(retry_after or 0)))
    except ValueError:
        return 0.0
