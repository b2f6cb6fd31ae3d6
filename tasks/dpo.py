"""Direct preference optimisation of the student, stage by stage, each on samples of the stage that it begins with."""

from __future__ import annotations

from collections.abc import Iterator

from nightschool.chunks import Chunk
from nightschool.leaks import Asked
from nightschool.mended import Seen
from nightschool.recipe.stages import Stage
from nightschool.records import PreferenceRow
from nightschool.wire import Message
from tasks import drafts, held, rounds, stages
from tasks.night import Night
from tasks.sft import asked, judgements
from tasks.step import Made, Served, Step
from tasks.training import train


def chunks(night: Night) -> list[Chunk]:
    return [stages.training(night, stage.name) for stage in stages.of_kind(night, "dpo") if rounds.begins(night, stage)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    stage = stages.learner(night).stage(chunk.part)
    of = sampled if stage.answers else judged
    looked_at = held.drawn(night, stage, of(night, stage, "validation"))
    return train(night, chunk, stage, list(of(night, stage, "train")), looked_at)


def sampled(night: Night, stage: Stage, side: Seen) -> Iterator[tuple[PreferenceRow, Asked]]:
    """The stage's pairs of a side, beside what is asked later about their questions."""
    rows, kind = night.rows(stages.sampling(night, stage.name), PreferenceRow), night.recipe.answers.kind
    prompt, wanted, of = stage.prompts["answers"], {row.question for row in rows}, held.side_for(night, stage)
    rulings = {ruling.id: ruling for ruling in stages.seen(night, stage) if ruling.id in wanted}
    draft = drafts.shown(night, stage.name)
    for row in rows:
        ruling = rulings[row.question]
        if of(ruling.side, ruling.question.question) == side:
            yield row, asked(ruling, prompt, kind, draft(ruling.question)).model_copy(update={"id": row.id})


def judged(night: Night, stage: Stage, side: Seen) -> Iterator[tuple[PreferenceRow, Asked]]:
    """Of each critique the judgement that is due against the other: same prompt, same words but one.

    Source: plan 004, whose critiques are right or wrong by the mark of the solution that they judge.
    """
    for row, prompt, due, other in judgements(night, stage, side):
        pair = PreferenceRow(id=row.id, question=row.extra_info.question_id, prompt=prompt, chosen=_turn(due),
                             rejected=_turn(other))  # fmt: skip
        yield pair, Asked(id=row.id, prompt=prompt, answer=due, kind="text")


def _turn(text: str) -> tuple[Message, ...]:
    return (Message(role="assistant", content=text),)


STEP = Step("dpo", chunks, make, here=True)
