"""From jobs to requests: the slots of one group of replicas, and what happens when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from blocks.backlog import Backlog, Slot
from blocks.call import Call, Job, Setback
from blocks.exchange import Refused, exchange
from blocks.gate import Gate
from blocks.limits import Meter
from blocks.replica import Replica
from nightschool.errors import BudgetSpent, DataError, NightError, OutOfTime, Stopped, WorldError
from nightschool.retake import singles
from nightschool.wire import Reply

# Statuses that may speak of one request alone, such as a prompt that is too long; and so many of them before any
# reply speak of all.
_ABOUT_ONE = frozenset({400, 413, 422})
_ABOUT_ALL_FROM = 8
# So many probes in a row, per attempt that a row has, and a server counts as down.
_STRIKES_PER_ATTEMPT = 3
_RESTING_PER_SLOT = 4
# Share of its time limit that a reply may take where more are to be asked for at once.
_SOON = 0.25


class Lane:
    """Replicas that serve the same, each with its slots (see `blocks.window`), and the calls that share them.

    The first call is served first; a slot that it leaves free goes to the next. A slot belongs to a replica, so the
    replica that answers faster takes more of the work.
    """

    def __init__(self, urls: Sequence[str], slots: int, most: int, meter: Meter) -> None:
        self.replicas = [Replica(url, slots, most, index) for index, url in enumerate(urls)]
        self._most_resting = _RESTING_PER_SLOT * slots * len(urls)
        self._gate = Gate(meter, self._feed)
        self._backlog = Backlog(len(urls))
        self._resting: dict[Job, asyncio.TimerHandle] = {}
        self._workers: dict[asyncio.Task[None], tuple[Replica, Slot]] = {}
        # By model: whether its server gives several samples for one request; absent = not known yet.
        self._several: dict[str, bool] = {}

    def add(self, call: Call) -> None:
        """Serve a call after those that came before it."""
        for replica in self.replicas:
            replica.models.add(call.endpoint.model)
        self._backlog.add(call)
        self._feed()

    def end(self, call: Call, error: BaseException) -> None:
        """Fail a call without waiting for its jobs that are not under way."""
        call.fail(error)
        for job in [job for job in self._resting if job.call is call]:
            self._resting.pop(job).cancel()
            call.settle()
        self._backlog.drop(call)

    def stop(self) -> set[asyncio.Task[None]]:
        """End every call with Stopped as soon as its requests under way have met their end; these, to wait for."""
        self._end_all(Stopped())
        return set(self._workers)

    async def close(self) -> None:
        """End every call with WorldError and every request under way."""
        self._end_all(WorldError("the client was closed while asking"))
        self._gate.close()
        for task in self._workers:
            task.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        for replica in self.replicas:
            replica.server.close()

    def _feed(self) -> None:
        """Put a worker on every free slot while there is work, least-loaded replica first."""
        while self._may_take():
            free = [replica for replica in self.replicas if replica.active < replica.limit()]
            if not free:
                return
            replica, slot = min(free, key=lambda one: one.active), Slot()
            replica.active += 1
            task = asyncio.get_running_loop().create_task(self._work(replica, slot))
            self._workers[task] = replica, slot
            task.add_done_callback(self._worker_ended)

    def _may_take(self) -> bool:
        """Whether there is work that may go out now.

        Nothing new while many jobs rest, so that an outage does not take in every row.
        """
        if not self._backlog or not (len(self._resting) < self._most_resting or self._backlog.urgent):
            return False
        return self._gate.open()

    def _take(self, replica: Replica, slot: Slot) -> Job | None:
        """The next job, let through and charged."""
        while self._may_take() and (job := self._backlog.take(replica.index, slot)):
            call, several = job.call, job.ask.sampling.samples > 1
            try:
                if several and not self._several.get(call.endpoint.model, True):
                    self._split(job)
                elif self._gate.lets(job):
                    return job
                else:
                    self._backlog.first(job)
            except BudgetSpent as error:
                self.end(call, error)
                call.settle()
            slot.job = None
        return None

    async def _work(self, replica: Replica, slot: Slot) -> None:
        while replica.active <= replica.limit() and (job := self._take(replica, slot)):
            reply = trouble = late = None
            try:
                reply, tokens_cached = await exchange(replica, job)
                replica.count(job, reply, tokens_cached)
            except (Setback, Refused) as error:
                trouble = error
            except OutOfTime as error:
                late = error
            finally:
                self._gate.settle(job, reply, paid=trouble is None or trouble.paid)
            if isinstance(trouble, Setback):
                self._set_back(replica, job, trouble)
            elif trouble is not None:
                self._refused(replica, job, trouble)
            elif reply is not None:
                self._replied(replica, job, reply)
            elif late is not None:
                replica.count(job)
                self.end(job.call, late)
                job.call.settle()
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

    def _replied(self, replica: Replica, job: Job, reply: Reply) -> None:
        call, ask = job.call, job.ask
        if ask.sampling.samples > 1:
            self._several[call.endpoint.model] = len(reply.choices) >= ask.sampling.samples
        elif job.split:
            self._several.setdefault(call.endpoint.model, False)
        call.replied = True
        more = call.on_reply(reply) or ()
        for ask in more if call.error is None else ():
            self._backlog.again(call.join(ask))
        call.settle()
        if replica.succeeded(soon=reply.latency_s < call.endpoint.timeout_s * _SOON) or more:
            self._feed()

    def _split(self, job: Job) -> None:
        """Ask for a job's samples one by one."""
        for ask in singles(job.ask):
            self._backlog.again(job.call.join(ask, split=True))
        job.call.settle()

    def _refused(self, replica: Replica, job: Job, refusal: Refused) -> None:
        """Perhaps the server knows no `n`; perhaps this row can't be asked; else nothing can."""
        call, model = job.call, job.call.endpoint.model
        replica.count(job)
        call.refused += refusal.status in _ABOUT_ONE
        if call.error is not None:
            call.settle()
        elif refusal.status in _ABOUT_ONE and job.ask.sampling.samples > 1 and not self._several.get(model):
            self._split(job)
        elif refusal.status in _ABOUT_ONE and (call.replied or call.refused < _ABOUT_ALL_FROM):
            self._give_up(replica, job, Setback("refused", f"status {refusal.status}: {refusal}"))
        else:
            said = f"refuses what model {model} is asked (status {refusal.status}): {refusal}"
            self.end(call, DataError(f"{replica.base} {said}"))
            call.settle()

    def _give_up(self, replica: Replica, job: Job, setback: Setback) -> None:
        replica.counted.failures += 1
        job.call.on_failure(job.ask, setback.reason, job.attempts, setback.text)
        job.call.settle()

    def _set_back(self, replica: Replica, job: Job, setback: Setback) -> None:
        """Decide what a failed attempt means for its job, its replica and, if all replicas are down, for all calls."""
        call = job.call
        if replica.failed(setback):
            self._rested(replica)
        if setback.reached:
            replica.count(job)
            job.pushed_back += setback.pushed_back
        if call.error is not None:
            call.settle()
        elif not setback.reached:
            self._backlog.again(job)
        elif job.attempts >= call.endpoint.attempts:
            self._give_up(replica, job, setback)
        elif (error := call.retried(setback)) is not None:
            self.end(call, error)
            call.settle()
        else:
            delay_s = max(setback.retry_after_s, job.backoff_s())
            self._resting[job] = asyncio.get_running_loop().call_later(delay_s, self._ask_again, job)
        if all(one.strikes >= _STRIKES_PER_ATTEMPT * call.endpoint.attempts for one in self.replicas):
            self._all_down(call.endpoint.model, setback)

    def _rested(self, replica: Replica) -> None:
        """Probe a replica when its rest is over; a timer may fire a moment early."""
        left_s = replica.rest_s()
        if left_s > 0:
            asyncio.get_running_loop().call_later(left_s, self._rested, replica)
        else:
            self._feed()

    def _ask_again(self, job: Job) -> None:
        del self._resting[job]
        self._backlog.again(job)
        self._feed()

    def _all_down(self, model: str, setback: Setback) -> None:
        where = ", ".join(replica.base for replica in self.replicas)
        tries = sum(replica.strikes for replica in self.replicas)
        for replica in self.replicas:
            replica.strikes = 0
        what = f"model {model} does not answer at {where}"
        self._end_all(WorldError(f"{what}: {tries} tries in a row failed; last: {setback.text}"))

    def _end_all(self, error: NightError) -> None:
        calls = {job.call for job in self._resting} | set(self._backlog.calls())
        calls |= {slot.call for _, slot in self._workers.values() if slot.call is not None}
        for call in calls:
            self.end(call, error)
