"""One chunk of questions: asked of one teacher, read, kept or dropped."""

from __future__ import annotations

from nightschool import questions
from nightschool.chunks import Chunk, split
from nightschool.wire import Ask
from tasks.asking import ask_each
from tasks.layout import laid
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    section = night.recipe.questions
    if section is None:
        return []
    runs = split(list(questions.row_ids(night.recipe.topics, section.per_topic)), section.chunk_rows)
    names = [teacher.name for teacher in night.recipe.teachers]
    return laid(night, "questions", dict.fromkeys(names, runs), "by", dict.fromkeys(names, ()))


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    recipe, section = night.recipe, night.recipe.questions
    assert section is not None
    wanted = list(questions.row_ids(recipe.topics, section.per_topic))
    sampling = section.sampling

    def ask_of(row: tuple[str, str]) -> Ask:
        return questions.ask(*row, teacher=chunk.part, seed=recipe.seed, prompt=section.prompt, sampling=sampling)

    return ask_each(
        night,
        chunk,
        served[chunk.part],
        split(wanted, section.chunk_rows)[chunk.index],
        ask_of=ask_of,
        flaw=questions.flaw,
        read=lambda row, reply: [questions.read(reply, topic=row[0], teacher=chunk.part)],
        topic_of=lambda row: row[0],
    )


STEP = Step("questions", chunks, make, at_once=lambda night: getattr(night.recipe.questions, "chunks_in_flight", 1))
