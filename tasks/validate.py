"""One chunk of validation: held-out questions put to one stage of the student."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from nightschool import validate
from nightschool.chunks import Chunk, Manifest, split
from nightschool.lineage import stages
from nightschool.records import Question
from nightschool.wire import Ask, Endpoint, Sampling
from tasks import dpo, school, sft
from tasks.asking import ask_each
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    learner = night.recipe.learner
    if learner is None:
        return []
    asked = split(asks(night), learner.validate.chunk_rows)
    parts = [(stage, index, len(rows)) for stage in stages(night.recipe) for index, rows in enumerate(asked)]
    return [
        night.chunk(
            f"validate/{stage}",
            index,
            ordinal,
            f"validate chunk {ordinal + 1}/{len(parts)} of {stage}",
            rows=rows,
            after=made_from(night, stage),
        )
        for ordinal, (stage, index, rows) in enumerate(parts)
    ]


def made_from(night: Night, stage: str) -> list[Manifest]:
    """What a stage of the student was made by: the school or nothing for base, else its training."""
    if stage == "base":
        student = night.recipe.student
        return [manifest for _, manifest in night.made(school.chunk_of(night, student) if student else [])]
    return [manifest for _, manifest in night.made((sft if stage == "sft" else dpo).chunks(night))]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    learner = night.recipe.learner
    assert learner is not None
    mine = split(asks(night), learner.validate.chunk_rows)[chunk.index]
    return measure(night, chunk, served[chunk.part], mine)


def measure(night: Night, chunk: Chunk, endpoint: Endpoint, mine: Sequence[tuple[Question, int, Ask]]) -> Made:
    """The chunk's rows, each a question, its sampling seed and its request, as measured."""
    return ask_each(
        night,
        chunk,
        endpoint,
        mine,
        ask_of=lambda row: row[2],
        read=lambda row, reply: [validate.read(reply, row[0], row[1])],
        topic_of=lambda row: row[0].topic,
    )


def asks(night: Night) -> list[tuple[Question, int, Ask]]:
    """Every held-out question under every sampling seed; the same for all stages."""
    recipe, learner = night.recipe, night.recipe.learner
    assert learner is not None
    student, section = learner.student, learner.validate
    questions = _held_out(recipe.topics, section.per_topic, section.levels, recipe.seed)
    sampling = Sampling(temperature=student.temperature, top_p=student.top_p, max_tokens=student.max_tokens)
    return list(validate.asks(questions, seeds=section.seeds, prompt=student.prompt, sampling=sampling))


@lru_cache(maxsize=2)
def _held_out(topics: tuple[str, ...], per_topic: int, levels: tuple[int, ...], seed: int) -> tuple[Question, ...]:
    """Made once, not once for every chunk."""
    return tuple(validate.held_out(topics, per_topic=per_topic, levels=levels, seed=seed))


STEP = Step("validate", chunks, make, at_once=lambda night: getattr(night.recipe.validate_, "chunks_in_flight", 1))
