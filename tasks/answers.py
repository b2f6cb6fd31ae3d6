"""One chunk of answers: a run of questions, put to one teacher."""

from __future__ import annotations

from nightschool import answers
from nightschool.chunks import Chunk, split
from nightschool.records import Answer, Dropped, Question
from nightschool.seeds import seed_of
from nightschool.wire import Sampling
from tasks import pool
from tasks.asking import ask
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    after = [manifest for _, manifest in night.made(pool.chunks(night))]
    asked = split(night.rows(pool.chunks(night), Question), night.recipe.answers.chunk_rows)
    parts = [(teacher, index, rows) for teacher in night.recipe.teachers for index, rows in enumerate(asked)]
    return [
        night.chunk(
            f"answers/{teacher.name}",
            index,
            ordinal,
            f"answers chunk {ordinal + 1}/{len(parts)} by {teacher.name}",
            rows=len(rows),
            after=after,
        )
        for ordinal, (teacher, index, rows) in enumerate(parts)
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.answers
    sampling = Sampling(
        temperature=section.temperature,
        top_p=section.top_p,
        max_tokens=section.max_tokens,
        samples=section.samples,
    )
    mine = split(night.rows(pool.chunks(night), Question), section.chunk_rows)[chunk.index]
    asks = [
        answers.ask(
            question,
            row_id=question.id,
            prompt=section.prompt,
            sampling=sampling,
            seed=seed_of("answers", night.recipe.seed, chunk.part, question.id),
        )
        for question in mine
    ]
    asked = ask(night, chunk, served[chunk.part], asks)
    topics = {question.id: question.topic for question in mine}
    found = [
        answers.read(asked.replies[question.id], teacher=chunk.part, topic=question.topic)
        for question in mine
        if question.id in asked.replies
    ]
    lost = [row.model_copy(update={"topic": topics[row.id]}) for row in asked.failed]
    dropped = [*(row for row in found if isinstance(row, Dropped)), *lost]
    return Made(
        rows=[row for row in found if isinstance(row, Answer)],
        dropped=[(row.reason, row) for row in dropped],
        figures=asked.figures,
        files=[night.store.path(chunk, "journal.jsonl")],
    )


STEP = Step("answers", chunks, make, at_once=lambda night: night.recipe.answers.chunks_in_flight)
