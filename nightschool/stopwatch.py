"""From the time that is left to how long a problem may take, and to whom it is worth asking in that time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

# So many requests in a row that their time did not suffice for, and a model is too slow for as little again.
_LATE_IN_A_ROW = 3
# Of how many replies the usual time is the mean.
_REMEMBERED = 20


def allowance_s(*, left_s: float | None, to_come: int, at_once: int, most_s: float | None) -> float | None:
    """Seconds for the next problem, None = as long as it takes.

    What one problem leaves over is shared by all that follow it.

    Args:
        left_s: of the total; None if it is not limited.
        to_come: problems without an answer, this one included.
        at_once: how many of them are worked on side by side.
        most_s: for any one problem.

    Source: plan 003, "For Kaggle Time Management".
    """
    shares = [] if left_s is None else [max(0.0, left_s) / max(1, math.ceil(to_come / at_once))]
    return min([*shares, *([] if most_s is None else [most_s])], default=None)


@dataclass(slots=True)
class Pace:
    """How long a model takes, by the requests that it was asked so far."""

    seconds: list[float] = field(default_factory=list)
    late: int = 0
    in_vain_s: float = 0.0

    def replied(self, seconds: float) -> None:
        """Note a reply that came in time."""
        self.seconds = [*self.seconds[1 - _REMEMBERED :], seconds]
        self.late, self.in_vain_s = 0, 0.0

    def was_late(self, within_s: float) -> None:
        """Note a request that was given up after so long."""
        self.late += 1
        self.in_vain_s = max(self.in_vain_s, within_s)

    def fits(self, within_s: float) -> bool:
        """Whether a reply can be hoped for in so many seconds; a model that was never asked may always try."""
        if self.late >= _LATE_IN_A_ROW and within_s <= self.in_vain_s:
            return False
        return not self.seconds or math.fsum(self.seconds) / len(self.seconds) <= within_s


def worth_asking(
    models: Sequence[str], paces: dict[str, Pace], *, within_s: float | None, fast: str | None
) -> tuple[str, ...]:
    """Those that are likely to answer in time; the fast one is asked whatever time is left.

    Args:
        within_s: seconds that are left for the problem, None = no limit, 0 = nobody is asked any more.
    """
    if within_s is None:
        return tuple(models)
    if within_s <= 0:
        return ()
    return tuple(name for name in models if name == fast or name not in paces or paces[name].fits(within_s))
