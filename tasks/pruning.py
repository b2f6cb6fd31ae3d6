"""A search that watches its trial train: asked at every look at held-back rows whether the trial goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nightschool.errors import Pruned
from nightschool.recipe.tune import Tune
from nightschool.tune import Trial, bar

_watching: list[tuple[Tune, Sequence[Trial]]] = []


@contextmanager
def watched(how: Tune, trials: Sequence[Trial]) -> Iterator[None]:
    """Inside, stages are held to what complete trials had reached, by a pruner that goes by their median."""
    _watching.append((how, [one for one in trials if one.state == "complete"]))
    try:
        yield
    finally:
        _watching.pop()


def look(stage: str, held: dict[str, Any] | None) -> None:
    """A stage's held-back rows as they stand; nothing is asked where no search watches.

    Raises:
        Pruned: the best of its looks is behind the median of the others.
    """
    if not _watching or not held or held["reached"] is None:
        return
    how, others = _watching[-1]
    reached, upwards = held["reached"], held["upwards"]
    wanted = bar([one.looks.get(stage, ()) for one in others], held["epoch"], upwards=upwards, least=how.warm_up)
    if how.pruner == "median" and wanted is not None and (reached < wanted if upwards else reached > wanted):
        raise Pruned(f"{stage} reached {reached:.4g} by epoch {held['epoch']:.3g}, the others' median is {wanted:.4g}")
