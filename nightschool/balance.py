"""From accepted rows to the shares that are wanted: rows cut, repeated or weighted, by class and stratum."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from nightschool.records import Ruling
from nightschool.seeds import seed_of

RULES_VERSION = 2

Method = Literal["downsample", "upsample", "weights", "none"]
# A share that comes out as 2.9999999 rows is three rows.
_ROUNDING = 1e-9


class Card(NamedTuple):
    """All that balance knows of a row: 640,000 of them are small where as many rows are not."""

    id: str
    cls: str
    stratum: str = ""
    weight: float = 1.0


class Fate(NamedTuple):
    """How often a row is taught, none is never; what its loss is multiplied with."""

    copies: int
    weight: float = 1.0


def fates(
    cards: Sequence[Card],
    *,
    method: Method,
    seed: int,
    target: Mapping[str, float] | None = None,
    max_rows: int | None = None,
    most_copies: int = 1,
) -> list[Fate]:
    """What becomes of each row, in their order, so that every stratum has the shares that are wanted.

    The draw depends on the row alone, so rows added elsewhere don't reshuffle it. A class that a stratum lacks cannot
    be mended there: the others share what it leaves.

    Args:
        method: downsample cuts to what the scarcest class allows; upsample repeats rows of a scarce class, up to
            `most_copies`, and cuts the others where that isn't enough; weights leaves rows as they are and weighs them,
            one on average; none leaves all as it is.
        target: shares by class, 1 in all; a class without one is dropped. None: equal shares.
        max_rows: cuts all classes alike, never below one row a class; a stratum by its part of the rows.

    Source: plan 002, fix 1 (upsampling, weighted loss).
    """
    found = [Fate(1, card.weight) for card in cards]
    for classes in _strata(cards).values() if method != "none" else ():
        wanted = _wanted(classes, target)
        if method == "weights":
            _weigh(cards, classes, wanted, found)
            continue
        rows = sum(len(places) for places in classes.values())
        room = None if max_rows is None else max_rows * rows / len(cards)
        scale = _scale(classes, wanted, 1 if method == "downsample" else most_copies, room)
        for name, places in classes.items():
            count = max(1, math.floor(scale * wanted[name] + _ROUNDING)) if wanted[name] else 0
            _draw(cards, places, count, seed, found)
    return found


def mended(ruling: Ruling, fate: Fate) -> Iterator[Ruling]:
    """The row as it is taught: itself first, then copies that each name it as their source."""
    for copy in range(fate.copies):
        if copy or fate.weight != ruling.weight:
            note = ruling.mended.model_copy(update={"source": ruling.id} if copy else {})
            update = {"weight": fate.weight, "mended": note, **({"id": f"{ruling.id}+{copy}"} if copy else {})}
            yield ruling.model_copy(update=update)
        else:
            yield ruling


def _strata(cards: Sequence[Card]) -> dict[str, dict[str, list[int]]]:
    """Places of the rows, by stratum and class."""
    strata: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, card in enumerate(cards):
        strata[card.stratum][card.cls].append(place)
    return strata


def _wanted(classes: Mapping[str, Sequence[int]], target: Mapping[str, float] | None) -> dict[str, float]:
    """Shares of the classes that occur, 1 in all unless none of them is wanted."""
    shares = {name: 1.0 if target is None else target.get(name, 0.0) for name in classes}
    total = math.fsum(shares.values()) or 1.0
    return {name: share / total for name, share in shares.items()}


def _scale(
    classes: Mapping[str, Sequence[int]], wanted: Mapping[str, float], most_copies: int, room: float | None
) -> float:
    """Rows of the stratum when it is balanced."""
    full = [len(places) / wanted[name] for name, places in classes.items() if wanted[name]]
    if not full:
        return 0.0
    scale = min(max(full), most_copies * min(full))
    return scale if room is None else min(scale, room)


def _draw(cards: Sequence[Card], places: Sequence[int], count: int, seed: int, found: list[Fate]) -> None:
    """Every row as often as any other, give or take one; who gets the one is drawn by seed and row id."""
    order = sorted(places, key=lambda place: seed_of("balance", seed, cards[place].id))
    each, more = divmod(count, len(places))
    for rank, place in enumerate(order):
        found[place] = Fate(each + (rank < more), cards[place].weight)


def _weigh(
    cards: Sequence[Card], classes: Mapping[str, Sequence[int]], wanted: Mapping[str, float], found: list[Fate]
) -> None:
    mass = {name: math.fsum(cards[place].weight for place in places) for name, places in classes.items()}
    total = math.fsum(mass.values())
    for name, places in classes.items():
        for place in places:
            weight = cards[place].weight * wanted[name] * total / mass[name] if wanted[name] else 0.0
            found[place] = Fate(1 if weight else 0, weight)
