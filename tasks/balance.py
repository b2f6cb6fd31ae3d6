"""The balance: one chunk, the shares of classes as the recipe wants them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from nightschool import balance
from nightschool.chunks import Chunk
from nightschool.classes import class_of, value_of
from nightschool.mended import Seen
from nightschool.recipe.choosing import Balance
from nightschool.records import Ruling
from nightschool.relettering import relettered
from tasks import splits
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.balance is None:
        return []
    after = [manifest for _, manifest in night.made(splits.out(night))]
    return [night.chunk("balance", 0, 0, "balance", rows=sum(one.rows for one in after), after=after)]


def out(night: Night) -> list[Chunk]:
    """Where the rows lie that the next phase goes on with."""
    return chunks(night) or splits.out(night)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section, seed = night.recipe.balance, night.recipe.seed
    assert section is not None
    rows: list[Ruling] = []
    held: list[Ruling] = []
    dropped: list[tuple[str, Ruling]] = []
    for ruling in night.each(splits.out(night), Ruling):
        moved = relettered(ruling, seed=seed) if section.shuffle_letters else ruling
        if isinstance(moved, str):
            dropped.append((moved, ruling.model_copy(update={"verdict": "reject", "reason": moved})))
        else:
            (rows if ruling.side == "train" else held).append(moved)
    fates = _fates(rows, section, seed)
    kept = [copy for row, fate in zip(rows, fates, strict=True) for copy in balance.mended(row, fate)]
    for row, fate in zip(rows, fates, strict=True):
        if not fate.copies:
            dropped.append(("over_share", row.model_copy(update={"verdict": "reject", "reason": "over_share"})))
    splits.check(night, (*kept, *held))
    return Made([*kept, *held], dropped, figures=_figures(night, rows, kept, held))


def ruled(night: Night) -> Iterator[Ruling]:
    """All rows, whatever their side."""
    return night.each(out(night), Ruling)


def lessons(night: Night, sides: Sequence[Seen] = ("train",)) -> int:
    """How many rows of these sides there are."""
    found = [manifest for _, manifest in night.made(out(night))]
    if night.recipe.splits is None:
        return sum(manifest.rows for manifest in found)
    return sum(int(count) for manifest in found for side, count in manifest.figures["sides"].items() if side in sides)


def taught(
    night: Night, chunk_rows: int | None = None, index: int = 0, sides: Sequence[Seen] = ("train",)
) -> list[Ruling]:
    """The rows to train on (or of other sides), all or a run of them."""
    if night.recipe.splits is None and chunk_rows is not None:
        return night.run_of(out(night), Ruling, chunk_rows, index)
    start, stop = (0, None) if chunk_rows is None else (index * chunk_rows, (index + 1) * chunk_rows)
    return list(islice((row for row in ruled(night) if row.side in sides), start, stop))


def _fates(rows: Sequence[Ruling], section: Balance, seed: int) -> list[balance.Fate]:
    cards = [balance.Card(row.id, class_of(row, section.by), class_of(row, section.within), row.weight) for row in rows]
    return balance.fates(
        cards,
        method=section.method,
        seed=seed,
        target=section.target,
        max_rows=section.max_rows,
        most_copies=section.most_copies,
    )


def _figures(night: Night, rows: Sequence[Ruling], kept: Sequence[Ruling], held: Sequence[Ruling]) -> dict[str, Any]:
    """Weight by field and value as [before, after] on the train side, as the filters have it; rows by side."""
    shares: dict[str, dict[str, list[float]]] = {}
    for place, found in enumerate((rows, kept)):
        for field in night.recipe.watched:
            for row in found:
                shares.setdefault(field, {}).setdefault(value_of(row, field), [0.0, 0.0])[place] += row.weight
    sides = Counter(row.side for row in (*kept, *held))
    copies = sum(row.mended.source is not None for row in kept)
    return {"sides": sides, "copies": copies, "shares": shares}


STEP = Step("balance", chunks, make)
