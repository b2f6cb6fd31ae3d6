"""From outcomes of requests to how many of them a server may have in flight."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

# Up to this share of refusals is noise: a server that fails one request in ten is not slower for being asked less.
_NOISE = 0.1
# More than this is none, whatever comes of asking less; up to it, noise that was learnt is forgotten by and by.
_MOST_NOISE = 0.5
_FORGETS = 0.99
_GROWTH = 1.25
# A larger window must bring this much more per second, or it only makes a queue inside the server.
_GAIN = 1.02
_PROBE_EVERY = 8
# Twice as many in flight must bring so much more per second; else they are tried again after so many reviews.
_WORTH = 1.1
_TRY_AGAIN = 64


@dataclass(slots=True)
class Reach:
    """How far a window may go that nobody has set: doubled while that brings more, and back where it does not."""

    most: int
    _before: int | None = None
    _rate: float = 0.0
    # The first reviews measure how the work began.
    _wait: int = 2
    _patience: int = _TRY_AGAIN

    def after(self, cap: int, rate: float) -> int:
        """The cap from now on, given how many replies per second the present one brings while it is full."""
        if self._before is not None:
            if rate < self._rate * _WORTH:
                return self._back(self._before)
            self._before = None
        elif self._wait:
            self._wait -= 1
            return cap
        if cap >= self.most:
            return cap
        self._before, self._rate = cap, rate
        return min(self.most, 2 * cap)

    def pushed_back(self, cap: int) -> int:
        """The cap from now on, when the server has pushed back under the present one."""
        return cap if self._before is None else self._back(self._before)

    def _back(self, before: int) -> int:
        self._before, self._wait, self._patience = None, self._patience, 2 * self._patience
        return before


@dataclass(slots=True)
class Window:
    """Starts at its cap, which a person has set; gives way when the server pushes back, and feels its way up again.

    Where nobody has set it, the cap itself moves, see `Reach`; by default it does not.

    Reviewed once per `size` outcomes. It shrinks by the share of requests that were pushed back (429, 503, timeout),
    by half at most; it grows by a quarter as long as that brings more replies per second, and tries again every
    eighth time, since a server may have recovered. `requests` is its size in whole requests.

    A server with too much to do pushes back less when it is asked half as much: of w requests for c places it turns
    1 - c/w away. One that does not has other reasons: then the window is what it was before, and so much is noise.
    """

    cap: int
    reach: Reach = field(default_factory=lambda: Reach(0))
    size: float = 0.0
    requests: int = 0
    _since: float = 0.0
    _skip: int = 0
    _outcomes: int = 0
    _pushed: int = 0
    _slack: int = 0
    _rate: float = 0.0
    _held: int = 0
    _noise: float = _NOISE
    # Size and share when the server began to push back.
    _before: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        self.size, self.requests = float(self.cap), self.cap

    def note(self, *, pushed_back: bool, full: bool = True) -> None:
        """One request has ended; `full` if as many were in flight as may be."""
        if self._skip:
            self._skip -= 1
            self._since = time.monotonic()
            return
        self._outcomes += 1
        self._pushed += pushed_back
        self._slack += not full
        if self._outcomes >= self.requests:
            self._review(time.monotonic())

    def _review(self, now: float) -> None:
        share = self._pushed / self._outcomes
        rate = (self._outcomes - self._pushed) / max(now - self._since, 1e-6)
        full = not self._slack
        self._since, self._outcomes, self._pushed, self._slack = now, 0, 0, 0
        self._noise = max(_NOISE, self._noise * _FORGETS)
        if share > self._noise:
            cap = self.reach.pushed_back(self.cap)
            if cap == self.cap:
                self._give_way(share)
            else:
                self._move(cap)
        elif self.size < self.cap and (rate > self._rate * _GAIN or self._held >= _PROBE_EVERY):
            self.size = min(float(self.cap), self.size * _GROWTH + 1)
            self._rate, self._held = rate, 0
        else:
            self._held += 1
            if self.size >= self.cap and full:
                self._move(self.reach.after(self.cap, rate))
        self.requests = int(self.size)

    def _move(self, cap: int) -> None:
        """What is in flight now was sent under the old cap: it says nothing of the new one."""
        if cap != self.cap:
            self.cap, self.size, self._skip = cap, float(cap), cap

    def _give_way(self, share: float) -> None:
        self._rate, self._held = 0.0, 0
        size, first = self._before or (self.size, share)
        if self.size <= size / 2:
            if first / 2 < share and first <= _MOST_NOISE:
                self.size, self._before = size, None
                self._noise = min(_MOST_NOISE, 2 * max(share, first))
                return
            size, first = self.size, share
        self._before = size, first
        self.size = max(1.0, self.size * max(0.5, 1 - share))
        if first <= _MOST_NOISE and self.size <= size / 2:
            # What is in flight now was sent under a larger window; what the server makes of this one is told later.
            self._skip = self.requests
