"""Supervised fine-tuning of the student on the balanced rows."""

from __future__ import annotations

from nightschool import answers
from nightschool.chunks import Chunk
from nightschool.leaks import Asked
from nightschool.prompts import Prompt
from nightschool.records import Ruling, TaughtRow
from nightschool.values.kinds import Kind
from nightschool.wire import Message
from tasks import balance, school
from tasks.night import Night
from tasks.step import Made, Served, Step
from tasks.training import train


def chunks(night: Night) -> list[Chunk]:
    learner = night.recipe.learner
    if learner is None:
        return []
    after = [manifest for _, manifest in night.made([*balance.out(night), *school.chunk_of(night, learner.student)])]
    return [night.chunk("sft", 0, 0, "sft of the student", rows=0, after=after)]


def taught(ruling: Ruling, prompt: Prompt) -> TaughtRow:
    """An accepted row as the student is to imitate it."""
    text = answers.completion(ruling.reasoning, str(ruling.answer))
    return TaughtRow(
        id=ruling.id,
        weight=ruling.weight,
        prompt=answers.messages(ruling.question, prompt),
        completion=(Message(role="assistant", content=text),),
    )


def asked(ruling: Ruling, prompt: Prompt, kind: Kind) -> Asked:
    """What is asked later about an accepted row's question."""
    return Asked(id=ruling.id, prompt=answers.messages(ruling.question, prompt), answer=str(ruling.answer), kind=kind)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    learner = night.recipe.learner
    assert learner is not None
    prompt, kind = learner.student.prompt, night.recipe.answers.kind
    rulings = balance.taught(night)
    rows = [taught(ruling, prompt) for ruling in rulings]
    return train(night, chunk, learner.sft, rows, adapter=None, asked=[asked(one, prompt, kind) for one in rulings])


STEP = Step("sft", chunks, make)
