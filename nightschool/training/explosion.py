"""When a loss that still is a number has left the road."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Any

FIRST = 5  # steps that say what is usual
LAST = 5  # steps that have to be far above it: one odd batch is no explosion
LEAST = 0.1  # nats; ten times a loss of 0.001 is no explosion either


class Explosion:
    """Compares the median loss of the last 5 steps with the lowest of the first 5, which it may spoil as well.

    Args:
        ratio: how many times it may be; None never stops.
    """

    def __init__(self, ratio: float | None) -> None:
        self._ratio = ratio
        self._under: Any = None
        self._first: list[float] = []
        self._last: deque[float] = deque(maxlen=LAST)

    @property
    def usual(self) -> float:
        """Loss at the start, in nats."""
        return max(LEAST, min(self._first)) if self._first else LEAST

    @property
    def now(self) -> float:
        """Loss of the last steps, in nats."""
        return median(self._last) if self._last else 0.0

    def __call__(self, loss: float, under: str) -> bool:
        """Take in a step's loss; whether it explodes. Where another loss begins (`under`), so does the comparison."""
        if under != self._under:
            self._under, self._first = under, []
            self._last.clear()
        if len(self._first) < FIRST:
            self._first.append(loss)
        else:
            self._last.append(loss)
        return len(self._last) == LAST and self._far(self.now)

    @property
    def doubtful(self) -> bool:
        """Whether the last step may be the first of an explosion: no state to save."""
        latest = self._last or self._first
        return bool(latest) and self._far(latest[-1])

    def keep(self) -> dict[str, Any]:
        """What `restore` takes back."""
        return {"under": self._under, "first": self._first, "last": list(self._last)}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on as before."""
        self._under, self._first = kept["under"], kept["first"]
        self._last = deque(kept["last"], maxlen=LAST)

    def _far(self, loss: float) -> bool:
        return self._ratio is not None and loss > self._ratio * self.usual
