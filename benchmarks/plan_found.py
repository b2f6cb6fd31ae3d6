"""One figure of `benchmarks.plan_claims`: a share with its interval, beside what a plan says."""

from __future__ import annotations

from dataclasses import dataclass

from nightschool.statistics import wilson

HEAD = ("", "the plan", "here", "95% interval", "counts", "")


@dataclass(frozen=True, slots=True)
class Found:
    """What is counted, what the plan says of it, `count` of `n`, and what more there is to say."""

    what: str
    plan: str
    count: int
    n: int
    more: str = ""

    @property
    def share(self) -> float:
        return self.count / self.n

    @property
    def cells(self) -> tuple[str, str, str, str, str, str]:
        """As a row of the table."""
        low, high = wilson(self.count, self.n)
        spread = f"{low:.1%} to {high:.1%}"
        return self.what, self.plan, f"{self.share:.1%}", spread, f"{self.count:,} of {self.n:,}", self.more
