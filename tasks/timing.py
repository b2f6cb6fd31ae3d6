"""The finished student against the clock: one question at a time, as a person waits for an answer."""

from __future__ import annotations

from nightschool.chunks import Chunk
from tasks import branches, stages
from tasks.held_out import count_of, measure
from tasks.held_out import rows as every
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    learner = night.recipe.learner
    if learner is None or (stage := learner.measured[-1]) in branches.skipped(night):
        return []
    rows = min(learner.validate.timed, count_of(night, learner.validate.side))
    return [
        night.chunk(f"timing/{stage}", 0, 0, f"timing of {stage}", rows=rows, after=stages.asked_with(night, stage))
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    learner = stages.learner(night)
    # A full server answers each request later than an idle one: validation's own latencies would say too much.
    endpoint = served[chunk.part].model_copy(update={"concurrency": 1})
    return measure(night, chunk, chunk.part, endpoint, every(night, learner.validate.side)[: chunk.rows])


STEP = Step("timing", chunks, make)
