"""The balance: one chunk, equal shares of what was accepted."""

from __future__ import annotations

from nightschool import balance
from nightschool.chunks import Chunk
from nightschool.records import Ruling
from tasks import committee
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.answers.reply != "letter":
        return []
    after = [manifest for _, manifest in night.made(committee.out(night))]
    return [night.chunk("balance", 0, 0, "balance", rows=sum(one.rows for one in after), after=after)]


def out(night: Night) -> list[Chunk]:
    """Where the rows lie that the next phase goes on with."""
    return chunks(night)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.balance
    accepted = night.rows(committee.out(night), Ruling)
    kept, cut = balance.downsample(accepted, by=section.by, seed=night.recipe.seed, max_rows=section.max_rows)
    return Made(kept, [("over_share", ruling) for ruling in cut])


STEP = Step("balance", chunks, make)
