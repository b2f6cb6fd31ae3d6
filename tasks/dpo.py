"""Direct preference optimisation of the student, from its sft adapter."""

from __future__ import annotations

from nightschool.chunks import Chunk
from nightschool.records import PreferenceRow
from tasks import pairs, sft
from tasks.night import Night
from tasks.step import Made, Served, Step
from tasks.training import output, train


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.dpo is None:
        return []
    after = [manifest for _, manifest in night.made([*pairs.chunks(night), *sft.chunks(night)])]
    return [night.chunk("dpo", 0, 0, "dpo of the student", rows=0, after=after)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    assert night.recipe.dpo is not None
    rows = night.rows(pairs.chunks(night), PreferenceRow)
    return train(night, chunk, night.recipe.dpo, rows, adapter=output(night, sft.chunks(night)[0]))


STEP = Step("dpo", chunks, make)
