"""One chunk of pairs: the student samples its own answers, wrong ones are set against right ones."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool import answers, pairs
from nightschool.chunks import Chunk
from nightschool.prompts import Prompt
from nightschool.records import Dropped, Letter, PreferenceRow, Ruling
from nightschool.seeds import seed_of
from nightschool.wire import Ask, Reply
from tasks import balance, stages
from tasks.asking import ask_each
from tasks.night import Night
from tasks.rendering import same_prompts
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    return [chunk for stage in stages.of_kind(night, "dpo") for chunk in stages.sampling(night, stage.name)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section, stage = night.recipe.pairs, stages.learner(night).stage(chunk.part)
    assert section is not None
    prompt, sampling = stage.prompts["answers"], section.sampling

    def ask_of(ruling: Ruling) -> Ask:
        seed = seed_of("pairs", night.recipe.seed, ruling.id)
        return answers.ask(ruling.question, row_id=ruling.id, prompt=prompt, sampling=sampling, seed=seed)

    same_prompts(night, served[stage.start], stages.rendered(night, stage.start))
    return ask_each(
        night,
        chunk,
        served[stage.start],
        balance.taught(night, section.chunk_rows, chunk.index),
        ask_of=ask_of,
        flaw=None,  # the student's format is part of what it learns from
        read=lambda ruling, reply: _pairs(night, ruling, reply, prompt),
        topic_of=lambda ruling: ruling.question.topic,
    )


def _pairs(night: Night, ruling: Ruling, reply: Reply, prompt: Prompt) -> Sequence[PreferenceRow | Dropped]:
    section = night.recipe.pairs
    assert section is not None
    assert ruling.answer is not None
    samples: list[tuple[str, Letter | None]] = [
        (choice.text, answers.cast(choice, choices=len(ruling.question.choices), repair=False).letter)
        for choice in reply.choices
    ]
    found = pairs.build(
        ruling.id,
        topic=ruling.question.topic,
        prompt=answers.messages(ruling.question, prompt),
        samples=samples,
        letter=ruling.answer,
        accepted=answers.completion(ruling.reasoning, ruling.answer),
        chosen=section.chosen,
        per_question=section.per_question,
        seed=night.recipe.seed,
    )
    if isinstance(found, Dropped):
        return [found]
    return [pair.model_copy(update={"weight": ruling.weight}) for pair in found]


STEP = Step("pairs", chunks, make, at_once=lambda night: getattr(night.recipe.pairs, "chunks_in_flight", 1))
