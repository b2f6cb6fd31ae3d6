"""How the rows of a step are laid out over processes and time: the same rows per step, however many fit at once."""

from __future__ import annotations

from dataclasses import dataclass

from nightschool.errors import DataError
from nightschool.recipe.learning import Training
from nightschool.recipe.preference import Scheduled


@dataclass(frozen=True, slots=True)
class Layout:
    """A step's rows: `processes` x `micro` rows at a time x `accumulation` times."""

    processes: int
    micro: int
    accumulation: int

    @property
    def rows(self) -> int:
        """Rows per optimizer step."""
        return self.processes * self.micro * self.accumulation

    def halved(self) -> Layout:
        """The same step with half as many rows at a time, or the next smaller number that divides it."""
        return _fit(self.rows, self.processes, self.micro // 2)


def lay_out(section: Training, processes: int, limit: int | None = None) -> Layout:
    """Lay a step of `batch_size` x `accumulation` rows out over processes.

    Each process takes its share of a batch, so that rows that share a loss stay together.

    Args:
        limit: rows that one process may hold at a time; the section's `micro_batch` if none.

    Raises:
        DataError: the rows of a step do not divide by the processes.
    """
    rows = section.batch_size * section.accumulation
    if rows % processes:
        raise DataError(
            f"batch_size x accumulation is {rows} rows per step, which {processes} devices cannot share evenly: "
            f"make it a multiple of {processes}"
        )
    most = max(1, section.batch_size // processes)
    return _fit(rows, processes, min(most, limit or section.micro_batch or most))


def _fit(rows: int, processes: int, most: int) -> Layout:
    share = rows // processes
    micro = next(size for size in range(max(1, most), 0, -1) if share % size == 0)
    return Layout(processes, micro, share // micro)


def mixes_rows(job: Scheduled) -> str | None:
    """The setting, if any, under which a pair's loss depends on the pairs that are in memory with it."""
    if named := {"aot", "aot_unpaired", "bco_pair", "sft"}.intersection(job.loss):
        return f"loss: {min(named)}"
    epochs = range(sum(part.epochs for part in job.schedule) or 1)
    for how in map(job.at, epochs):
        if how.robust in ("paper", "both"):
            return f"robust: {how.robust}"
        if how.cal == "center":
            return "cal: center"
    return None
