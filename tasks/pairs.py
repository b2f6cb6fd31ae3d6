"""One chunk of pairs: the student samples its own answers, wrong ones are set against right ones."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool import answers, pairs
from nightschool.chunks import Chunk, split
from nightschool.records import Dropped, Letter, PreferenceRow, Ruling
from nightschool.seeds import seed_of
from nightschool.wire import Ask, Reply
from tasks import balance, sft
from tasks.asking import ask_each
from tasks.night import Night
from tasks.rendering import same_prompts
from tasks.step import Made, Served, Step
from tasks.training import output


def chunks(night: Night) -> list[Chunk]:
    section = night.recipe.pairs
    if section is None:
        return []
    balanced = balance.out(night)
    after = [manifest for _, manifest in night.made([*balanced, *sft.chunks(night)])]
    parts = split(range(balance.lessons(night)), section.chunk_rows)
    return [
        night.chunk("pairs", index, index, f"pairs chunk {index + 1}/{len(parts)}", rows=len(rows), after=after)
        for index, rows in enumerate(parts)
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section, student = night.recipe.pairs, night.recipe.student
    assert section is not None
    assert student is not None

    def ask_of(ruling: Ruling) -> Ask:
        seed = seed_of("pairs", night.recipe.seed, ruling.id)
        prompt, sampling = student.prompt, section.sampling
        return answers.ask(ruling.question, row_id=ruling.id, prompt=prompt, sampling=sampling, seed=seed)

    same_prompts(night, served["sft"], output(night, sft.chunks(night)[0]))
    return ask_each(
        night,
        chunk,
        served["sft"],
        balance.taught(night, section.chunk_rows, chunk.index),
        ask_of=ask_of,
        flaw=None,  # the student's format is part of what it learns from
        read=lambda ruling, reply: _pairs(night, ruling, reply),
        topic_of=lambda ruling: ruling.question.topic,
    )


def _pairs(night: Night, ruling: Ruling, reply: Reply) -> Sequence[PreferenceRow | Dropped]:
    section, student = night.recipe.pairs, night.recipe.student
    assert section is not None
    assert student is not None
    assert ruling.answer is not None
    samples: list[tuple[str, Letter | None]] = [
        (choice.text, answers.cast(choice, choices=len(ruling.question.choices), repair=False).letter)
        for choice in reply.choices
    ]
    found = pairs.build(
        ruling.id,
        topic=ruling.question.topic,
        prompt=answers.messages(ruling.question, student.prompt),
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
