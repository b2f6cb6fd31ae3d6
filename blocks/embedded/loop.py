"""The generation thread: takes jobs, steps the batch of every model in turn."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass

import torch

from blocks.embedded.batch import Batch
from blocks.embedded.grammar import Grammars
from blocks.embedded.job import Job
from blocks.embedded.models import Loaded


@dataclass
class Counters:
    """What the log line tells; written by the generation thread only, but for `requests`."""

    requests: int = 0
    tokens: int = 0
    running: int = 0
    waiting: int = 0


class Loop:
    """One thread for all models: each model with work gets one step per turn, so that none starves."""

    def __init__(self, loaded: Loaded, grammars: Grammars, slots: int) -> None:
        self.counters = Counters()
        self._inbox: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._batches = {
            name: Batch(network, grammars, loaded.stop_ids, slots, loaded.context)
            for name, network in loaded.networks.items()
        }
        self._thread = threading.Thread(target=self._run, name="generation", daemon=True)

    def start(self) -> None:
        """Begin to generate."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Hand over a job; its `done` is called on the generation thread. Any thread may call this."""
        self.counters.requests += 1
        self.counters.waiting += job.samples
        self._inbox.put(job)

    def _take(self, *, wait: bool) -> None:
        while wait or not self._inbox.empty():
            job = self._inbox.get()
            self._batches[job.model].add(job)
            wait = False

    def _run(self) -> None:
        with torch.inference_mode():
            while True:
                busy = [batch for batch in self._batches.values() if batch.busy]
                self._take(wait=not busy)
                for batch in self._batches.values():
                    if batch.busy:
                        self.counters.tokens += batch.step()
                self.counters.running = sum(len(batch.seats.rows) for batch in self._batches.values())
                self.counters.waiting = sum(len(batch.waiting) for batch in self._batches.values())
