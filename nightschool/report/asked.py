"""The questions that were asked: who wrote them, and what the solver said of them."""

from __future__ import annotations

from nightschool.report.proof import Estimate, Figure


class Source(Figure):
    """Who wrote the questions that were used."""

    teacher: int = 0
    generator: int = 0


class SolverCounts(Figure):
    """What the solver said of the questions that one teacher wrote."""

    ok: int = 0
    wrong_key: int = 0
    unsolvable: int = 0
    malformed: int = 0

    @property
    def fit(self) -> Estimate | None:
        """The share that was fit to ask."""
        if not (n := self.ok + self.wrong_key + self.unsolvable + self.malformed):
            return None
        from nightschool.statistics import wilson  # scipy, which the command line needs not to start

        low, high = wilson(self.ok, n)
        return Estimate(value=self.ok / n, low=low, high=high, n=n)
