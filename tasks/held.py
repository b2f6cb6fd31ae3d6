"""Which rows a stage is looked at by while it trains: never one that it learns, never one of the test side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from nightschool.errors import DataError
from nightschool.mended import Side
from nightschool.recipe.stages import Stage
from nightschool.seeds import rng_of
from nightschool.splits import side_of
from tasks.night import Night

_SALT = "held back"

T = TypeVar("T")
SideOf = Callable[[Side, str], Side]


def split_off(night: Night) -> bool:
    """Whether the recipe has a validation side."""
    return night.recipe.splits is not None and night.recipe.splits.validation > 0


def side_for(night: Night, stage: Stage) -> SideOf:
    """From a row's side and its question to its side for a stage.

    Where no validation side is split off, a share of the questions to train on is held back, by the hash of a
    question's text as `splits` goes by it: copies of a row go with it.
    """
    how = stage.section.evaluate
    if how is None or split_off(night):
        return lambda side, question: side
    share = how.share

    def held_back(side: Side, question: str) -> Side:
        return side_of(question, validation=share, test=0, salt=_SALT) if side == "train" else side

    return held_back


def drawn(night: Night, stage: Stage, rows: Iterable[T]) -> list[T]:
    """The rows to look at, as many as the recipe wants; none for a stage that is not looked at.

    Raises:
        DataError: there are none, so that nothing could be chosen by them.
    """
    how = stage.section.evaluate
    if how is None:
        return []
    found = list(rows)
    if not found:
        raise DataError(
            f"{stage.name}: no row is held back to evaluate by; give splits a larger validation side, "
            "or evaluate a larger share"
        )
    if how.rows is None or how.rows >= len(found):
        return found
    places = rng_of("evaluate", night.recipe.seed).sample(range(len(found)), how.rows)
    return [found[place] for place in sorted(places)]
