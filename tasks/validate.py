"""One chunk of validation: held-out questions put to one stage of the student."""

from __future__ import annotations

from nightschool.chunks import Chunk, split
from tasks import stages
from tasks.held_out import count_of, measure, rows
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    learner = night.recipe.learner
    if learner is None:
        return []
    asked = split(range(count_of(night, learner.validate.side)), learner.validate.chunk_rows)
    after = {name: stages.made_from(night, name) for name in learner.measured}
    parts = [(stage, index, len(run)) for stage in after for index, run in enumerate(asked)]
    return [
        night.chunk(
            f"validate/{stage}",
            index,
            ordinal,
            f"validate chunk {ordinal + 1}/{len(parts)} of {stage}",
            rows=count,
            after=after[stage],
        )
        for ordinal, (stage, index, count) in enumerate(parts)
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    learner = night.recipe.learner
    assert learner is not None
    mine = split(rows(night, learner.validate.side), learner.validate.chunk_rows)[chunk.index]
    return measure(night, chunk, chunk.part, served[chunk.part], mine)


STEP = Step("validate", chunks, make, at_once=lambda night: getattr(night.recipe.validate_, "chunks_in_flight", 1))
