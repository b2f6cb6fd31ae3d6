"""The merge: a chunk for each run of questions, with every teacher's solutions to them."""

from __future__ import annotations

from nightschool import merge
from nightschool.chunks import Chunk
from nightschool.records import Question, Solutions
from tasks import answers, pool
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.answers.reply != "text":
        return []
    asked = [manifest for _, manifest in night.made(pool.chunks(night))]
    whole = night.made(answers.chunks(night))
    rows = {chunk.index: chunk.rows for chunk in answers.chunks(night)}
    return [
        night.chunk(
            "merge",
            index,
            index,
            f"merge chunk {index + 1}/{len(rows)}",
            rows=count,
            after=[*asked, *(manifest for chunk, manifest in whole if chunk.index == index)],
        )
        for index, count in rows.items()
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    questions = night.run_of(pool.chunks(night), Question, night.recipe.answers.chunk_rows, chunk.index)
    solved = [one for one in answers.chunks(night) if one.index == chunk.index]
    return Made(list(merge.merge(questions, night.rows(solved, Solutions))))


STEP = Step("merge", chunks, make)
