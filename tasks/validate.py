"""One chunk of validation: held-out questions put to one stage of the student."""

from __future__ import annotations

from nightschool.chunks import Chunk, split
from tasks import branches, held_out
from tasks.held_out import measure, rows
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    left_out = branches.skipped(night)
    return [chunk for chunk in held_out.chunks(night) if chunk.part not in left_out]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    learner = night.recipe.learner
    assert learner is not None
    mine = split(rows(night, learner.validate.side), learner.validate.chunk_rows)[chunk.index]
    return measure(night, chunk, chunk.part, served[chunk.part], mine)


STEP = Step("validate", chunks, make, at_once=lambda night: getattr(night.recipe.validate_, "chunks_in_flight", 1))
