"""From asks to replies over HTTP: one event loop and one keep-alive pool for every chunk of the process."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import functools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import fields
from types import TracebackType
from typing import Self

import uvloop

from blocks.call import Call, Counters, key_of
from blocks.chat import BrokenReply, read_models
from blocks.connection import NoAnswer, Server
from blocks.lane import Lane
from blocks.limits import Meter
from blocks.purse import Purse
from blocks.replica import ReplicaStats
from nightschool.errors import NightError, OutOfTime, RecipeError, Stopped, WorldError
from nightschool.wire import Ask, Endpoint, Reply

# A waiting thread wakes this often, so that Prefect's timeouts and Ctrl-C reach it.
_WAKE_S = 0.5

_Address = tuple[tuple[str, ...], int, int, int | None, int | None]


class Client:
    """Asks model servers in the OpenAI chat format, for any number of threads at once.

    Asks to the same servers share their slots, whichever chunk or model they belong to: a chunk that drains leaves
    its slots to the next, so there is no barrier at a chunk's end.
    """

    def __init__(self) -> None:
        self._lanes: dict[_Address, Lane] = {}
        self._purses: dict[tuple[object, ...], Purse] = {}
        self._beside = Counters()
        self._loop = uvloop.new_event_loop()
        self.stopped = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="client", daemon=True)
        self._thread.start()

    def ask_all(
        self,
        endpoint: Endpoint,
        asks: Iterable[Ask],
        on_reply: Callable[[Reply], Iterable[Ask] | None],
        on_failure: Callable[[Ask, str, int, str], None],
        *,
        until: float | None = None,
    ) -> None:
        """Ask everything and return when each ask has met its reply or its failure.

        Asks are taken as slots become free, so they may come from a generator; nothing is sent twice unless it failed.

        Args:
            on_reply: called for each reply as it arrives, in the client's own thread: it must be fast. What it
                returns is asked next, as a part of this call. An ask for several samples meets as many replies,
                each with its `sample`, where the server gives one a request.
            on_failure: likewise, with (ask, reason, attempts, last text), for an ask that failed `endpoint.attempts`
                times; the reason is one of `blocks.call.Failure`. The others go on.
            until: moment of time.monotonic at which nothing is waited for any more, requests under way included.

        Raises:
            BudgetSpent: the next request could overspend the endpoint's budget; replies so far have come back.
            OutOfTime: `until` came first; replies so far have come back.
            DataError: the server refuses what is asked (4xx): asking again can't help.
            RecipeError: the endpoint has no URL, or its key variable is not set.
            Stopped: see `drain`.
            WorldError: the server is down for all asks, or retries are used up.
        """
        if not endpoint.urls:
            raise RecipeError(f"model {endpoint.model} has no URL", field="urls")
        call = Call(endpoint, key_of(endpoint), iter(asks), on_reply, on_failure, until=until)
        self._loop.call_soon_threadsafe(self._begin, call)
        try:
            while concurrent.futures.wait([call.done], timeout=_WAKE_S).not_done:
                pass
        finally:
            if not call.done.done():
                self._loop.call_soon_threadsafe(self._abandon, call)
        call.done.result()

    def drain(self, most_s: float) -> int:
        """Ask nothing more: every call ends with Stopped once its requests under way are answered, a new one at once.

        Args:
            most_s: how long they are waited for.

        Returns:
            How many are under way even then.
        """
        self.stopped = True
        return asyncio.run_coroutine_threadsafe(self._drained(most_s), self._loop).result()

    def resume(self) -> None:
        """Ask again, after `drain`."""
        self.stopped = False

    def models(self, endpoint: Endpoint, *, timeout_s: float = 10.0) -> dict[str, tuple[str, ...]]:
        """The names that each of the endpoint's URLs serves, by URL.

        Raises:
            RecipeError: the endpoint's key variable is not set.
            WorldError: a URL does not answer, or not in the OpenAI format.
        """
        key = key_of(endpoint)

        async def ask(url: str) -> tuple[str, ...]:
            server = Server(url)
            try:
                answer = await server.ask(server.head("GET", "/models", key), b"", timeout_s)
                return read_models(answer.status, answer.body)
            except (NoAnswer, BrokenReply) as err:
                raise WorldError(f"no list of models from {url}: {err}") from None
            finally:
                server.close()

        async def ask_each() -> list[tuple[str, ...]]:
            return await asyncio.gather(*(ask(url) for url in endpoint.urls))

        names = asyncio.run_coroutine_threadsafe(ask_each(), self._loop).result()
        return dict(zip(endpoint.urls, names, strict=True))

    def replicas(self) -> list[ReplicaStats]:
        """Each server's numbers since the client was made; cheap, from any thread.

        A server that is asked under two concurrencies is listed twice.
        """
        return [replica.stats() for lane in list(self._lanes.values()) for replica in lane.replicas]

    def stats(self) -> Counters:
        """What was sent and came back since the client was made, over all servers."""
        found = [*self.replicas(), self._beside]
        return Counters(**{each.name: sum(getattr(one, each.name) for one in found) for each in fields(Counters)})

    def count(self, more: Counters) -> None:
        """Count what was asked by other means, such as a timed run."""
        for each in fields(Counters):
            setattr(self._beside, each.name, getattr(self._beside, each.name) + getattr(more, each.name))

    def close(self) -> None:
        """Close connections and the thread; asks under way end with WorldError."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, call: Call) -> None:
        if self.stopped:
            return call.fail(Stopped())
        endpoint = call.endpoint
        address = _address(endpoint)
        if address not in self._lanes:
            meter = Meter(endpoint.requests_per_minute, endpoint.tokens_per_minute)
            self._lanes[address] = Lane(endpoint.urls, endpoint.concurrency, endpoint.most_concurrency, meter)
        if endpoint.budget is not None:
            account = (endpoint.urls, endpoint.model, endpoint.budget, endpoint.account)
            try:
                call.purse = self._purses[account] = self._purses.get(account) or Purse(endpoint, endpoint.budget)
            except NightError as error:
                return call.fail(error)
        if call.until is not None:
            self._loop.call_later(max(0.0, call.until - time.monotonic()), self._end_late, call)
        return self._lanes[address].add(call)

    def _end_late(self, call: Call) -> None:
        """What waits for a slot or for another try is given up; a request under way ends by its own time limit."""
        self._lanes[_address(call.endpoint)].end(call, OutOfTime(f"model {call.endpoint.model}: no time is left"))

    def _abandon(self, call: Call) -> None:
        call.desert()
        if lane := self._lanes.get(_address(call.endpoint)):
            lane.end(call, concurrent.futures.CancelledError())

    async def _drained(self, most_s: float) -> int:
        workers = {worker for lane in self._lanes.values() for worker in lane.stop()}
        return len((await asyncio.wait(workers, timeout=most_s))[1]) if workers else 0

    async def _shut(self) -> None:
        for lane in self._lanes.values():
            await lane.close()


def _address(endpoint: Endpoint) -> _Address:
    """What decides which calls share slots: the same servers under the same limits, whatever the model."""
    slots = endpoint.concurrency, endpoint.most_concurrency
    return endpoint.urls, *slots, endpoint.requests_per_minute, endpoint.tokens_per_minute


_lock = threading.Lock()


@functools.cache
def _process_wide() -> Client:
    shared = Client()
    atexit.register(shared.close)
    return shared


def client() -> Client:
    """The client that all tasks of this process share."""
    with _lock:
        return _process_wide()
