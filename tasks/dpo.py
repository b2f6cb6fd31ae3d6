"""Direct preference optimisation of the student, stage by stage, each on samples of the stage that it begins with."""

from __future__ import annotations

from nightschool.chunks import Chunk
from nightschool.records import PreferenceRow
from tasks import stages
from tasks.night import Night
from tasks.step import Made, Served, Step
from tasks.training import train


def chunks(night: Night) -> list[Chunk]:
    return [stages.training(night, stage.name) for stage in stages.of_kind(night, "dpo")]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    rows = night.rows(stages.sampling(night, chunk.part), PreferenceRow)
    return train(night, chunk, stages.learner(night).stage(chunk.part), rows)


STEP = Step("dpo", chunks, make)
