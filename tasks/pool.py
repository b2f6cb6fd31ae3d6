"""The pool: one chunk, from all written questions to the ones that are asked."""

from __future__ import annotations

from nightschool import pool
from nightschool.chunks import Chunk
from nightschool.records import Written
from tasks import questions
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    after = [manifest for _, manifest in night.made(questions.chunks(night))]
    return [night.chunk("pool", 0, 0, "pool of questions", rows=sum(one.rows for one in after), after=after)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    recipe = night.recipe
    pooled = pool.choose(
        night.rows(questions.chunks(night), Written),
        topics=recipe.topics,
        per_topic=recipe.pool.per_topic,
        top_up=recipe.pool.top_up == "generator",
        levels=recipe.pool.levels,
        seed=recipe.seed,
        solver=recipe.committee.verifier == "solver",
    )
    return Made(pooled.questions, [(row.reason, row) for row in pooled.dropped], {"checks": pooled.checks})


STEP = Step("pool", chunks, make)
