"""The splits: a chunk for each one of filtered rows; every row gets its side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from nightschool.chunks import Chunk, together
from nightschool.classes import value_of
from nightschool.errors import DataError
from nightschool.mended import Side
from nightschool.near import Twin
from nightschool.recipe.choosing import Splits
from nightschool.records import Ruling
from nightschool.splits import hold, side_of
from tasks import filters
from tasks.night import Night
from tasks.standing import standing
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.splits is None:
        return []
    before = filters.out(night)
    made = night.made(before)
    rows = {chunk: manifest.rows for chunk, manifest in made}
    # A leak may lie between any two chunks, so each is made from all.
    after = together([manifest for _, manifest in made])
    return [
        night.chunk(
            "splits", place, place, f"splits chunk {place + 1}/{len(before)}", rows=rows.get(chunk, 0), after=after
        )
        for place, chunk in enumerate(before)
    ]


def out(night: Night) -> list[Chunk]:
    """Where the rows lie that the next phase goes on with."""
    return chunks(night) or filters.out(night)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.splits
    assert section is not None
    before = standing(night, chunk.phase, "chunks", lambda: filters.out(night))
    leaks = standing(night, chunk.phase, "leaks", lambda: _leaks(night.each(before, Ruling), section))
    if leaks and section.leaks == "refuse":
        row, twin = next(iter(leaks.items()))
        raise DataError(
            f"{len(leaks)} rows to train on are nearly the same as held-out ones; first {row}, as {twin.id}"
        )
    kept: list[Ruling] = []
    dropped: list[tuple[str, Ruling]] = []
    for ruling in night.each([before[chunk.index]], Ruling):
        if section.leaks == "drop" and (twin := leaks.get(ruling.id)):
            update = {"verdict": "reject", "reason": "leak", "detail": f"{twin.share:.0%} as {twin.id}, held out"}
            dropped.append(("leak", ruling.model_copy(update=update)))
        else:
            kept.append(ruling.model_copy(update={"side": _side(ruling, section)}))
    return Made(kept, dropped, figures=_figures(kept, night.recipe.watched, leaks))


def check(night: Night, rows: Iterable[Ruling]) -> None:
    """Holds the sides of rows against their questions, after copies were made of them.

    Raises:
        DataError: a row lies on another side than its question.
    """
    if section := night.recipe.splits:
        hold(rows, validation=section.validation, test=section.test, salt=section.salt)


def _side(ruling: Ruling, section: Splits) -> Side:
    return side_of(ruling.question.question, validation=section.validation, test=section.test, salt=section.salt)


def _leaks(rulings: Iterable[Ruling], section: Splits) -> dict[str, Twin]:
    """Rows to train on that are nearly the same as a held-out one, by id."""
    from nightschool.sketches import Sketches, crossing  # a second, and `plan` needs none of it

    held, taught = Sketches(), Sketches()
    for ruling in rulings:
        to = taught if _side(ruling, section) == "train" else held
        to.add(ruling.id, filters.asked(ruling.question))
    return crossing(held, taught, threshold=section.threshold)


def _figures(kept: Iterable[Ruling], fields: Iterable[str], leaks: dict[str, Twin]) -> dict[str, object]:
    """Rows by field, value and side, and the leaks among them."""
    counts: dict[str, dict[str, Counter[str]]] = {field: {} for field in fields}
    total, found = Counter[str](), 0
    for ruling in kept:
        total[ruling.side] += 1
        found += ruling.id in leaks
        for field, sides in counts.items():
            sides.setdefault(value_of(ruling, field), Counter())[ruling.side] += 1
    return {"sides": total, "strata": counts, "leaks": found}


STEP = Step("splits", chunks, make)
