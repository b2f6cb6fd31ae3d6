"""One chunk of questions: asked of one teacher, read, kept or dropped."""

from __future__ import annotations

from nightschool import questions
from nightschool.chunks import Chunk, split
from nightschool.records import Dropped, Written
from nightschool.wire import Sampling
from tasks.asking import ask
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    section = night.recipe.questions
    if section is None:
        return []
    wanted = list(questions.row_ids(night.recipe.topics, section.per_topic))
    parts = [
        (teacher, index, rows)
        for teacher in night.recipe.teachers
        for index, rows in enumerate(split(wanted, section.chunk_rows))
    ]
    return [
        night.chunk(
            f"questions/{teacher.name}",
            index,
            ordinal,
            f"questions chunk {ordinal + 1}/{len(parts)} by {teacher.name}",
            rows=len(rows),
        )
        for ordinal, (teacher, index, rows) in enumerate(parts)
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.questions
    assert section is not None
    sampling = Sampling(temperature=section.temperature, top_p=section.top_p, max_tokens=section.max_tokens)
    wanted = list(questions.row_ids(night.recipe.topics, section.per_topic))
    mine = split(wanted, section.chunk_rows)[chunk.index]
    asks = [
        questions.ask(
            topic, row_id, teacher=chunk.part, seed=night.recipe.seed, prompt=section.prompt, sampling=sampling
        )
        for topic, row_id in mine
    ]
    asked = ask(night, chunk, served[chunk.part], asks)
    found = [
        questions.read(asked.replies[row_id], topic=topic, teacher=chunk.part)
        for topic, row_id in mine
        if row_id in asked.replies
    ]
    topics = {row_id: topic for topic, row_id in mine}
    lost = [row.model_copy(update={"topic": topics[row.id]}) for row in asked.failed]
    dropped = [*(row for row in found if isinstance(row, Dropped)), *lost]
    return Made(
        rows=[row for row in found if isinstance(row, Written)],
        dropped=[(row.reason, row) for row in dropped],
        figures=asked.figures,
        files=[night.store.path(chunk, "journal.jsonl")],
    )


STEP = Step("questions", chunks, make, at_once=lambda night: getattr(night.recipe.questions, "chunks_in_flight", 1))
