"""Supervised fine-tuning of the student, stage by stage, on rows that its lessons are made of."""

from __future__ import annotations

from collections.abc import Iterator

from nightschool import answers, questions, teaching
from nightschool import critique as judging
from nightschool.chunks import Chunk
from nightschool.leaks import Asked
from nightschool.mended import Seen
from nightschool.pool import question_id
from nightschool.prompts import Prompt
from nightschool.recipe.learning import Sft
from nightschool.recipe.phases import Answers
from nightschool.recipe.stages import Stage
from nightschool.records import CritiqueRow, Ruling, TaughtRow, Written
from nightschool.teaching import Form
from nightschool.values.kinds import Kind
from nightschool.wire import Message
from tasks import branches, critique, drafts, held, stages
from tasks import questions as writing
from tasks.night import Night
from tasks.step import Made, Served, Step
from tasks.training import train


def chunks(night: Night) -> list[Chunk]:
    left_out = branches.skipped(night)
    found = [stage for stage in stages.of_kind(night, "sft") if stage.name not in left_out]
    return [stages.training(night, stage.name) for stage in found]


def taught(
    ruling: Ruling, prompt: Prompt, section: Answers, *, form: Form = "reasoning", draft: str | None = None
) -> TaughtRow:
    """An accepted row as the student is to imitate it; `draft`: of an answer, which its prompt shows."""
    letters = section.reply == "letter"
    text = teaching.taught(ruling.reasoning, str(ruling.answer), section.kind, form=form, letters=letters)
    return _row(ruling.id, ruling.weight, answers.messages(ruling.question, prompt, draft), text)


def asked(ruling: Ruling, prompt: Prompt, kind: Kind, draft: str | None = None) -> Asked:
    """What is asked later about an accepted row's question, with the drafter's own draft where one is shown."""
    later = answers.messages(ruling.question, prompt, draft)
    return Asked(id=ruling.id, prompt=later, answer=str(ruling.answer), kind=kind)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    stage = stages.learner(night).stage(chunk.part)
    looked_at = held.drawn(night, stage, lessons(night, stage, "validation"))
    return train(night, chunk, stage, list(lessons(night, stage, "train")), looked_at)


def lessons(night: Night, stage: Stage, side: Seen = "train") -> Iterator[tuple[TaughtRow, Asked]]:
    """Every row of every lesson, its weight times the lesson's; beside it what is asked later about its question."""
    for lesson, weight in stage.teaches.items():
        found = {"answers": _answers, "questions": _questions, "critiques": _critiques}[lesson](night, stage, side)
        yield from ((row.model_copy(update={"weight": row.weight * weight}), later) for row, later in found)


def _rulings(night: Night, stage: Stage, side: Seen) -> Iterator[Ruling]:
    of = held.side_for(night, stage)
    return (row for row in stages.seen(night, stage) if of(row.side, row.question.question) == side)


def _answers(night: Night, stage: Stage, side: Seen) -> Iterator[tuple[TaughtRow, Asked]]:
    prompt, section = stage.prompts["answers"], night.recipe.answers
    form: Form = stage.section.form if isinstance(stage.section, Sft) else "reasoning"
    draft_of = drafts.shown(night, stage.name)
    for ruling in _rulings(night, stage, side):
        draft = draft_of(ruling.question)
        yield taught(ruling, prompt, section, form=form, draft=draft), asked(ruling, prompt, section.kind, draft)


def _questions(night: Night, stage: Stage, side: Seen) -> Iterator[tuple[TaughtRow, Asked]]:
    """Written questions that were accepted, as their writers were asked for them.

    Source: plan 000, 3.1, whose question agent learned from all that parsed.
    """
    kept = {ruling.question.id: ruling.question for ruling in _rulings(night, stage, side)}
    topics = {topic: [one for one in kept.values() if one.topic == topic] for topic in night.recipe.topics}
    for chunk, _ in night.made(writing.chunks(night)):
        for row in night.store.rows(chunk, Written):
            if question_id(row.topic, row.question) in kept:
                seed, prompt = night.recipe.seed, stage.prompts["questions"]
                asked = questions.messages_of(row, topics[row.topic], seed=seed, prompt=prompt)
                yield _alike(_row(row.id, 1.0, asked, questions.completion(row)))


def _critiques(night: Night, stage: Stage, side: Seen) -> Iterator[tuple[TaughtRow, Asked]]:
    for row, prompt, due, _ in judgements(night, stage, side):
        yield _alike(_row(row.id, 1.0, prompt, due))


def judgements(night: Night, stage: Stage, side: Seen) -> Iterator[tuple[CritiqueRow, tuple[Message, ...], str, str]]:
    """Every critique of a side: how it is asked, the judgement that is due, and the other one."""
    section, of = night.recipe.critique, held.side_for(night, stage)
    assert section is not None
    mine = {_asked_first(ruling) for ruling in stages.seen(night, stage)} if stage.section.questions else None
    for row in night.each(critique.chunks(night), CritiqueRow):
        if of(row.side, row.question) == side and (mine is None or row.extra_info.question_id in mine):
            prompt = stage.prompts["critiques"].messages(
                question=row.question, solution=row.solution, topic=row.extra_info.topic
            )
            other = row.model_copy(update={"target": "wrong" if row.target == "right" else "right"})
            yield row, prompt, judging.completion(row, section.reply), judging.completion(other, section.reply)


def _asked_first(ruling: Ruling) -> str:
    """The id under which a row's question was asked, whatever copies were made of it since."""
    return ruling.mended.source or ruling.id


def _alike(row: TaughtRow) -> tuple[TaughtRow, Asked]:
    """A row whose very prompt is what is asked later."""
    return row, Asked(id=row.id, prompt=row.prompt, answer=row.completion[-1].content, kind="text")


def _row(name: str, weight: float, prompt: tuple[Message, ...], text: str) -> TaughtRow:
    return TaughtRow(id=name, weight=weight, prompt=prompt, completion=(Message(role="assistant", content=text),))


STEP = Step("sft", chunks, make, here=True)
