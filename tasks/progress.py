"""Progress of the running phase: counted here, shown by whoever listens (terminal, Prefect artifact)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from nightschool.chunks import Chunk
from tasks.pace import Meter, Pace

_EMIT_EVERY_S = 0.5
# What all phases are timed by, in seconds.
clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Event:
    """Where a phase stands. Counts of rows and chunks, seconds since it began, seconds still to go if known.

    `reused` rows were on file, `queued` ones are still to be asked; `pace` is None for a phase that asks nobody; an
    `urgent` note is not to be left out; `gaps`: it is over and not complete.
    """

    phase: str
    done: int
    total: int
    chunks_done: int
    chunks_total: int
    cached: int
    failed: int
    note: str
    seconds: float
    eta_s: float | None
    finished: bool
    reused: int = 0
    queued: int = 0
    pace: Pace | None = None
    urgent: bool = False
    gaps: bool = False


Listener = Callable[[Event], None]
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hands every event to `listener` while inside."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class Tracker:
    """Counts rows and chunks of one phase from any thread; an event at most every half second, and the last one."""

    def __init__(self, phase: str, chunks: Sequence[Chunk] = (), note: str = "", meter: Meter | None = None) -> None:
        self.phase = phase
        self._meter = meter
        self._total = sum(chunk.rows for chunk in chunks)
        self._chunks_total = len(chunks)
        self._done = self._reused = self._cached = self._failed = self._chunks_done = 0
        self._parts: dict[str, tuple[int, int]] = {}
        self._note, self._gaps = note, False
        self.finished = False
        self._began = self._emitted = clock()
        # Moment and count of the first that cost something: what came before it (loading, compiling) is no rate.
        self._first: tuple[float, int] | None = None
        self._lock = threading.Lock()
        self._emit(finished=False)

    @property
    def seconds(self) -> float:
        return clock() - self._began

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time inside counts for nothing, neither for the phase nor for its rate."""
        since = clock()
        try:
            yield
        finally:
            gone_s = clock() - since
            with self._lock:
                self._began += gone_s
                self._first = (self._first[0] + gone_s, self._first[1]) if self._first else None

    def rows(self, count: int = 1, *, reused: bool = False) -> None:
        """So many rows came in; `reused` ones cost nothing and stay out of the rate."""
        with self._lock:
            self._done += count
            self._reused += count if reused else 0
            if not reused:
                self._first = self._first or (clock(), self._done - self._reused)
        self._maybe()

    def steps(self, part: str, done: int, total: int, note: str = "") -> None:
        """A training's own count of steps, in place of rows; parts that train side by side are added up."""
        with self._lock:
            self._parts[part] = (done, total)
            self._done, self._total = (sum(counts) for counts in zip(*self._parts.values(), strict=True))
            self._first = self._first or (clock(), self._done)
            self._note = note or self._note
        self._maybe()

    def say(self, note: str, *, now: bool = False, urgent: bool = False) -> None:
        """What it is busy with, in a few words; `now` shows it without waiting for the next event."""
        self._note = note
        if now:
            self._emit(finished=False, urgent=urgent)
        else:
            self._maybe()

    def chunk(self, outcome: str) -> None:
        """One chunk ended: `made`, `cached` or `failed`."""
        with self._lock:
            self._chunks_done += outcome != "failed"
            self._cached += outcome == "cached"
            self._failed += outcome == "failed"
        self._maybe()

    def finish(self, note: str = "", *, gaps: bool = False) -> None:
        """The phase is over; with gaps if it ended without all of its chunks and rows."""
        self._note, self._gaps, self.finished = note or self._note, gaps, True
        self._emit(finished=True)

    def _maybe(self) -> None:
        if clock() - self._emitted >= _EMIT_EVERY_S:
            self._emit(finished=False)

    def _emit(self, *, finished: bool, urgent: bool = False) -> None:
        self._emitted = clock()
        event = self.event(finished=finished, urgent=urgent)
        for listener in _listeners:
            listener(event)

    def event(self, *, finished: bool, urgent: bool = False) -> Event:
        """Where it stands now."""
        pace = self._meter.read(whole=finished) if self._meter else None
        return Event(
            phase=self.phase,
            done=self._done,
            total=self._total,
            chunks_done=self._chunks_done,
            chunks_total=self._chunks_total,
            cached=self._cached,
            failed=self._failed,
            note=self._note,
            seconds=self.seconds,
            eta_s=None if finished else self._eta_s(),
            finished=finished,
            reused=self._reused,
            queued=max(0, self._total - self._done - pace.in_flight) if pace and not finished else 0,
            pace=pace,
            urgent=urgent,
            gaps=self._gaps,
        )

    def _eta_s(self) -> float | None:
        if self._first is None:
            return None
        moment, count = self._first
        fresh, left = self._done - self._reused - count, self._total - self._done
        return (clock() - moment) / fresh * left if fresh > 0 and left >= 0 else None


_trackers: dict[str, Tracker] = {}


def track(phase: str, chunks: Sequence[Chunk] = (), note: str = "", meter: Meter | None = None) -> Tracker:
    """A new tracker, found again by `tracker(phase)` from the phase's chunks; a `meter` for one that asks models."""
    _trackers.pop(phase, None)  # the newest comes last
    _trackers[phase] = Tracker(phase, chunks, note, meter)
    return _trackers[phase]


def standing() -> list[Event]:
    """Where every phase of this process stands, the newest last."""
    return [one.event(finished=one.finished) for one in list(_trackers.values())]


def notice(note: str, *, urgent: bool = False) -> None:
    """Something that whoever watches should see now, whatever phase is running; `urgent` is shown in any case."""
    running = [one for one in _trackers.values() if not one.finished]
    for one in running[-1:]:
        one.say(note, now=True, urgent=urgent)


def tracker(phase: str) -> Tracker:
    """The phase's tracker; in a process of its own, one that nobody hears."""
    return _trackers.get(phase) or track(phase)
