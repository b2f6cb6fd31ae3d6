"""What a lane has to do: calls in order of arrival, jobs to ask again, a look ahead for prompts that begin alike."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from blocks.call import Call, Job
from nightschool.wire import Ask

# Servers keep the work done on a prompt's beginning, in blocks; ours need only tell prompts apart.
_BLOCK_CHARS, _MAX_BLOCKS = 256, 16
_LOOK_AHEAD_PER_REPLICA = 8
_HOMES = 65_536


@dataclass(slots=True)
class Slot:
    """What one worker is at: the call that it asked for a job, and the job while it is unsettled."""

    call: Call | None = None
    job: Job | None = None


class Backlog:
    """Jobs for `replicas` servers: an earlier call goes first, what was asked before goes before everything.

    With several replicas, some asks are taken ahead and put aside for the replica that has seen the beginning of
    their prompt. None idles for lack of such: it takes what was put aside for another.
    """

    def __init__(self, replicas: int) -> None:
        self._calls: deque[Call] = deque()
        self._again: deque[Job] = deque()
        self._aside: list[deque[Job]] = [deque() for _ in range(replicas)]
        self._look_ahead = _LOOK_AHEAD_PER_REPLICA * replicas if replicas > 1 else 0
        self._homes: OrderedDict[int, int] = OrderedDict()

    def __bool__(self) -> bool:
        return self.urgent or bool(self._calls)

    @property
    def urgent(self) -> bool:
        """Whether there is work already taken in, so that doing it holds nothing more in memory."""
        return bool(self._again) or any(self._aside)

    def add(self, call: Call) -> None:
        """Serve a call after those that came before it."""
        self._calls.append(call)

    def again(self, job: Job) -> None:
        """Serve a job before anything new."""
        self._again.append(job)

    def first(self, job: Job) -> None:
        """Serve a job next: it was taken and could not go out."""
        self._again.appendleft(job)

    def calls(self) -> Iterator[Call]:
        """Those that have anything here; may repeat."""
        yield from self._calls
        yield from (job.call for jobs in (self._again, *self._aside) for job in jobs)

    def drop(self, call: Call) -> None:
        """Forget a call that has failed."""
        for jobs in (self._again, *self._aside):
            for job in [job for job in jobs if job.call is call]:
                jobs.remove(job)
                call.settle()

    def take(self, replica: int, slot: Slot) -> Job | None:
        """The job that suits this replica best, put into the slot; None when there is nothing to do.

        What a caller's iterator raises comes through; `slot.call` says whose it is.
        """
        slot.job = self._again.popleft() if self._again else self._next(replica, slot)
        if slot.job is not None:
            slot.call = slot.job.call
        return slot.job

    def _next(self, replica: int, slot: Slot) -> Job | None:
        if not self._look_ahead:
            return self._new(slot)
        while sum(map(len, self._aside)) < self._look_ahead and (job := self._new(slot)):
            self._aside[self._home_of(job)].append(job)
        jobs = self._aside[replica] or max(self._aside, key=len)
        return jobs.popleft() if jobs else None

    def _new(self, slot: Slot) -> Job | None:
        while self._calls:
            slot.call = self._calls[0]
            job = slot.call.take()
            if job is not None:
                return job
            self._calls.popleft()
        return None

    def _home_of(self, job: Job) -> int:
        """Where most of its prompt was seen, else where least is waiting."""
        blocks = _blocks(job.ask)
        known = next((block for block in reversed(blocks[len(blocks) // 2 :]) if block in self._homes), None)
        waiting = [len(jobs) for jobs in self._aside]
        home = waiting.index(min(waiting)) if known is None else self._homes[known]
        for block in blocks:
            self._homes[block] = home
            self._homes.move_to_end(block)
        while len(self._homes) > _HOMES:
            self._homes.popitem(last=False)
        return home


def _blocks(ask: Ask) -> tuple[int, ...]:
    """A prompt's beginnings of growing length, the whole of it last; they hold in this process only."""
    text = "\x1e".join(message.content for message in ask.messages)
    ends = range(_BLOCK_CHARS, min(len(text), _BLOCK_CHARS * _MAX_BLOCKS), _BLOCK_CHARS)
    return *(hash(text[:end]) for end in ends), hash(text)
