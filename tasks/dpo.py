"""Direct preference optimisation of the student, stage by stage, each on samples of the stage that it begins with."""

from __future__ import annotations

from nightschool.chunks import Chunk
from nightschool.records import PreferenceRow
from tasks import balance, stages
from tasks.night import Night
from tasks.sft import asked
from tasks.step import Made, Served, Step
from tasks.training import train


def chunks(night: Night) -> list[Chunk]:
    return [stages.training(night, stage.name) for stage in stages.of_kind(night, "dpo")]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    stage, kind = stages.learner(night).stage(chunk.part), night.recipe.answers.kind
    rows = night.rows(stages.sampling(night, chunk.part), PreferenceRow)
    prompt, wanted = stage.prompts["answers"], {row.question for row in rows}
    rulings = {ruling.id: ruling for ruling in balance.taught(night) if ruling.id in wanted}
    later = [asked(rulings[row.question], prompt, kind).model_copy(update={"id": row.id}) for row in rows]
    return train(night, chunk, stage, rows, asked=later)


STEP = Step("dpo", chunks, make)
