"""The balance: one chunk, the shares of classes as the recipe wants them."""

from __future__ import annotations

from nightschool import balance
from nightschool.chunks import Chunk
from nightschool.classes import class_of
from nightschool.records import Ruling
from nightschool.relettering import relettered
from tasks import review
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.balance is None:
        return []
    after = [manifest for _, manifest in night.made(review.out(night))]
    return [night.chunk("balance", 0, 0, "balance", rows=sum(one.rows for one in after), after=after)]


def out(night: Night) -> list[Chunk]:
    """Where the rows lie that the next phase goes on with."""
    return chunks(night) or review.out(night)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section, seed = night.recipe.balance, night.recipe.seed
    assert section is not None
    rows: list[Ruling] = []
    dropped: list[tuple[str, Ruling]] = []
    for ruling in night.each(review.out(night), Ruling):
        moved = relettered(ruling, seed=seed) if section.shuffle_letters else ruling
        if isinstance(moved, str):
            dropped.append((moved, ruling.model_copy(update={"reason": moved})))
        else:
            rows.append(moved)
    cards = [balance.Card(row.id, class_of(row, section.by), class_of(row, section.within), row.weight) for row in rows]
    fates = balance.fates(
        cards,
        method=section.method,
        seed=seed,
        target=section.target,
        max_rows=section.max_rows,
        most_copies=section.most_copies,
    )
    kept = [copy for row, fate in zip(rows, fates, strict=True) for copy in balance.mended(row, fate)]
    lost = (row for row, fate in zip(rows, fates, strict=True) if not fate.copies)
    dropped += [("over_share", row.model_copy(update={"reason": "over_share"})) for row in lost]
    return Made(kept, dropped)


STEP = Step("balance", chunks, make)
