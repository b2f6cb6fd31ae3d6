"""One chunk of pairs: the student samples its own answers, wrong ones are set against right ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nightschool import answers, pairs, teaching
from nightschool.chunks import Chunk
from nightschool.prompts import Prompt
from nightschool.records import Dropped, PreferenceRow, Ruling
from nightschool.seeds import seed_of
from nightschool.values.read import read
from nightschool.wire import Ask, Choice, Reply
from tasks import balance, merge, rounds, stages
from tasks.asking import ask_each
from tasks.night import Night
from tasks.rendering import same_prompts
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    found = [stage for stage in stages.of_kind(night, "dpo") if stage.answers]
    return [chunk for stage in found if rounds.drafted(night, stage) for chunk in stages.sampling(night, stage.name)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section, stage = night.recipe.pairs, stages.learner(night).stage(chunk.part)
    assert section is not None
    prompt, sampling = stage.prompts["answers"], section.sampling
    letters = night.recipe.answers.reply == "letter"

    def ask_of(ruling: Ruling) -> Ask:
        seed = seed_of("pairs", night.recipe.seed, ruling.id)
        if letters:
            return answers.ask(ruling.question, row_id=ruling.id, prompt=prompt, sampling=sampling, seed=seed)
        asked = answers.ask_open(ruling.question, prompt=prompt, sampling=sampling, seed=seed)
        return asked.model_copy(update={"id": ruling.id})

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
    kind, letters = night.recipe.answers.kind, night.recipe.answers.reply == "letter"
    right = _judge(night, ruling)
    how = pairs.How(section.chosen, section.format, section.per_question, night.recipe.seed)
    found = pairs.build(
        ruling.id,
        how,
        topic=ruling.question.topic,
        prompt=answers.messages(ruling.question, prompt),
        samples=[(choice.text, right(choice)) for choice in reply.choices],
        accepted=teaching.taught(ruling.reasoning, ruling.answer, kind, form="reasoning", letters=letters),
        disagreement=pairs.dissent(vote == ruling.answer if vote else None for vote in ruling.votes.values()),
    )
    if isinstance(found, Dropped):
        return [found]
    return [pair.model_copy(update={"weight": ruling.weight}) for pair in found]


def _judge(night: Night, ruling: Ruling) -> Callable[[Choice], bool | None]:
    """What tells whether a reply says the accepted answer; None for one that says none, or that nobody can judge."""
    answer, section = str(ruling.answer), night.recipe.answers
    if section.reply == "letter":
        count = len(ruling.question.choices)

        def by_letter(choice: Choice) -> bool | None:
            letter = answers.cast(choice, choices=count, repair=False).letter
            return None if letter is None else letter == answer

        return by_letter

    def by_value(choice: Choice) -> bool | None:
        found = read(choice.text, section.kind, fallback=section.fallback).value
        return None if found is None or choice.finish == "length" else merge.same(answer, found, section.kind)

    return by_value


STEP = Step("pairs", chunks, make, at_once=lambda night: getattr(night.recipe.pairs, "chunks_in_flight", 1))
