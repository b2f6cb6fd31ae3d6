"""One chunk of pairs: right against wrong, of a student's drafts or of teachers' solutions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Literal

from nightschool import answers, pairs, teaching
from nightschool.chunks import Chunk
from nightschool.records import CritiqueRow, Dropped, PreferenceRow, Ruling
from nightschool.seeds import seed_of
from nightschool.values.read import read
from nightschool.wire import Ask, Choice, Message, Reply
from tasks import critique, drafts, merge, rounds, stages
from tasks.asking import ask_each
from tasks.night import Night
from tasks.rendering import same_prompts
from tasks.step import Made, Served, Step

Turns = tuple[Message, ...]


def chunks(night: Night) -> list[Chunk]:
    found = [stage for stage in stages.of_kind(night, "dpo") if stage.answers]
    return [chunk for stage in found if rounds.drafted(night, stage) for chunk in stages.sampling(night, stage.name)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section, stage = night.recipe.pairs, stages.learner(night).stage(chunk.part)
    assert section is not None
    rulings = stages.seen(night, stage, section.chunk_rows, chunk.index)
    prompt, sampling, draft = stage.prompts["answers"], section.sampling, drafts.shown(night, stage.name)

    def told(ruling: Ruling) -> Turns:
        return answers.messages(ruling.question, prompt, draft(ruling.question))

    if section.rejected == "teacher":
        return _judged(night, rulings, told)
    letters = night.recipe.answers.reply == "letter"

    def ask_of(ruling: Ruling) -> Ask:
        seed = seed_of("pairs", night.recipe.seed, ruling.id)
        schema = answers.schema(len(ruling.question.choices), stated=False) if letters else None
        return Ask(id=ruling.id, messages=told(ruling), sampling=sampling, seed=seed, json_schema=schema)

    same_prompts(night, served[stage.drafter], stages.rendered(night, stage.drafter))
    return ask_each(
        night,
        chunk,
        served[stage.drafter],
        rulings,
        ask_of=ask_of,
        flaw=None,  # the student's format is part of what it learns from
        read=lambda ruling, reply: _drafted(night, ruling, reply, told(ruling)),
        topic_of=lambda ruling: ruling.question.topic,
    )


def _drafted(night: Night, ruling: Ruling, reply: Reply, prompt: Turns) -> Sequence[PreferenceRow | Dropped]:
    """The student's own drafts, or the taught reply against them."""
    assert night.recipe.pairs is not None
    right = _judge(night, ruling)
    samples = [(choice.text, right(choice)) for choice in reply.choices]
    return _pairs(night, ruling, samples, prompt, chosen=night.recipe.pairs.chosen)


def _judged(night: Night, rulings: Sequence[Ruling], told: Callable[[Ruling], Turns]) -> Made:
    """Teachers' solutions against one another, as the critiques have them: right against wrong.

    Source: plan 004, whose critiques know of each solution whether it is right.
    """
    solutions: dict[str, list[pairs.Sample]] = defaultdict(list)
    wanted = {ruling.mended.source or ruling.id for ruling in rulings}
    for row in night.each(critique.chunks(night), CritiqueRow):
        if row.extra_info.question_id in wanted:
            solutions[row.extra_info.question_id].append((row.solution, row.target == "right"))
    found = [
        row
        for ruling in rulings
        for row in _pairs(night, ruling, solutions[ruling.mended.source or ruling.id], told(ruling), chosen="student")
    ]
    kept = [row for row in found if isinstance(row, PreferenceRow)]
    return Made(rows=kept, dropped=[(row.reason, row) for row in found if isinstance(row, Dropped)])


def _pairs(
    night: Night,
    ruling: Ruling,
    samples: Sequence[pairs.Sample],
    prompt: Turns,
    *,
    chosen: Literal["student", "teacher"],
) -> Sequence[PreferenceRow | Dropped]:
    section = night.recipe.pairs
    assert section is not None
    assert ruling.answer is not None
    kind, letters = night.recipe.answers.kind, night.recipe.answers.reply == "letter"
    found = pairs.build(
        ruling.id,
        pairs.How(chosen, section.format, section.per_question, night.recipe.seed),
        topic=ruling.question.topic,
        prompt=prompt,
        samples=samples,
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


STEP = Step(
    "pairs",
    chunks,
    make,
    at_once=lambda night: getattr(night.recipe.pairs, "chunks_in_flight", 1),
    asks=lambda night: getattr(night.recipe.pairs, "rejected", "") != "teacher",
)
