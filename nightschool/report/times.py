"""The figures of times: how long each part of a request takes in each company, and a contest's limits beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nightschool.recipe.timing import TimedKind
from nightschool.report.proof import Estimate, Figure
from nightschool.timing import Way


class Spread(Figure):
    """Seconds; the mean of `n` of them with its 95% interval, which is over requests."""

    mean: float
    mean_low: float | None = None
    mean_high: float | None = None
    n: int | None = None
    p50: float
    p95: float
    p99: float
    max: float


class WayTimes(Figure):
    """One pass. `ttft` to the first token, `itl` between a token and the next, `tpot` the mean of those of a request,
    `e2el` to the last token: as vLLM names them. `draft` is for drafts that are asked for first: a part of `ttft` and
    of `e2el`. `lost` requests have no reply, and so no times."""

    way: Way
    warm: bool
    batch_size: int
    n: int
    lost: int = 0
    draft: Spread | None = None
    ttft: Spread | None = None
    itl: Spread | None = None
    tpot: Spread | None = None
    e2el: Spread | None = None
    total_s: float
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def name(self) -> str:
        """As a person says it: "batches of 5, cold"."""
        if self.way == "plain":
            return "without our client"
        company = f"batches of {self.batch_size}" if self.way == "batched" else "one by one"
        return f"{company}, {'warm' if self.warm else 'cold'}"


class OverLimit(Figure):
    """A request that took longer than it may; no seconds = no reply came."""

    id: str
    way: str
    seconds: float | None
    tokens_out: int


class Target(Figure):
    """A mean that somebody aims at."""

    by: str
    mean_s: float
    met: bool


class Held(Figure):
    """The contest's own run, cold and in its batches, against its limits, below which times stay.

    `total_s` is for as many requests as the contest makes, in proportion where fewer were timed.
    """

    contest: str
    batch_size: int
    n: int
    wanted: int
    mean_s: float
    mean_low_s: float
    mean_high_s: float
    mean_limit_s: float
    p99_s: float
    each_limit_s: float
    total_s: float
    total_limit_s: float | None = None
    late: Estimate
    lost: int = 0
    targets: tuple[Target, ...] = ()

    @property
    def broken(self) -> tuple[str, ...]:
        """The limits that were not kept."""
        total = self.total_limit_s is None or self.total_s < self.total_limit_s
        kept = {"mean": self.mean_s < self.mean_limit_s, "p99": self.p99_s < self.each_limit_s, "total": total,
                "a reply to each": not self.lost}  # fmt: skip
        return tuple(name for name, held in kept.items() if not held)


class Times(Figure):
    """How fast a stage writes answers or questions, in each company; `over`: every request above the limit of each."""

    of: TimedKind
    stage: str
    ways: tuple[WayTimes, ...]
    held: Held | None = None
    over: tuple[OverLimit, ...] = ()


def longer(times: Times) -> tuple[float, float, float, int] | None:
    """How many times longer a request takes by our client than one that nothing of ours puts or reads: the ratio of
    their means, its 95% interval, and how many requests the smaller side has. None where one of them was not
    timed, or too few to tell how far from nought its mean is.

    Made of the two means' intervals, on the scale of logarithms, as if the requests of both were drawn apart.

    Source: Zou & Donner 2008, Statistics in Medicine 27:1693 (MOVER).
    """
    found = {way.way: way.e2el for way in times.ways if way.warm and way.e2el}
    ours, bare = found.get("single"), found.get("plain")
    if ours is None or bare is None:
        return None
    ends = [end or 0.0 for end in (ours.mean_low, ours.mean_high, bare.mean_low, bare.mean_high)]
    if min(ends) <= 0:
        return None
    ratio, n = ours.mean / bare.mean, min(ours.n or 0, bare.n or 0)
    low, high, bare_low, bare_high = map(math.log, ends)
    mine, theirs = math.log(ours.mean), math.log(bare.mean)
    down, up = math.hypot(mine - low, bare_high - theirs), math.hypot(high - mine, theirs - bare_low)
    return ratio, ratio * math.exp(-down), ratio * math.exp(up), n


def single(times: Sequence[Times]) -> WayTimes | None:
    """Answers one by one, by a server that is at work."""
    ways = (way for one in times if one.of == "answers" for way in one.ways)
    return next((way for way in ways if way.way == "single" and way.warm), None)
