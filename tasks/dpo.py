"""Direct preference optimisation of the student, stage by stage, each on samples of the stage that it begins with."""

from __future__ import annotations

from nightschool.chunks import Chunk
from nightschool.leaks import Asked
from nightschool.recipe.stages import Stage
from nightschool.records import PreferenceRow
from nightschool.wire import Message
from tasks import rounds, stages
from tasks.night import Night
from tasks.sft import asked, judgements
from tasks.step import Made, Served, Step
from tasks.training import train


def chunks(night: Night) -> list[Chunk]:
    return [stages.training(night, stage.name) for stage in stages.of_kind(night, "dpo") if rounds.begins(night, stage)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    stage = stages.learner(night).stage(chunk.part)
    rows, later = _sampled(night, stage) if stage.answers else judged(night, stage)
    return train(night, chunk, stage, rows, asked=later)


def _sampled(night: Night, stage: Stage) -> tuple[list[PreferenceRow], list[Asked]]:
    rows, kind = night.rows(stages.sampling(night, stage.name), PreferenceRow), night.recipe.answers.kind
    prompt, wanted = stage.prompts["answers"], {row.question for row in rows}
    rulings = {ruling.id: ruling for ruling in stages.taught(night, stage) if ruling.id in wanted}
    return rows, [asked(rulings[row.question], prompt, kind).model_copy(update={"id": row.id}) for row in rows]


def judged(night: Night, stage: Stage) -> tuple[list[PreferenceRow], list[Asked]]:
    """Of each critique the judgement that is due against the other: same prompt, same words but one.

    Source: plan 004, whose critiques are right or wrong by the mark of the solution that they judge.
    """
    rows = [
        PreferenceRow(id=row.id, question=row.extra_info.question_id, prompt=prompt, chosen=_turn(due),
                      rejected=_turn(other))
        for row, prompt, due, other in judgements(night, stage)
    ]  # fmt: skip
    return rows, [Asked(id=row.id, prompt=row.prompt, answer=row.chosen[-1].content, kind="text") for row in rows]


def _turn(text: str) -> tuple[Message, ...]:
    return (Message(role="assistant", content=text),)


STEP = Step("dpo", chunks, make)
