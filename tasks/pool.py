"""The pool: one chunk, from all written questions to the ones that are asked."""

from __future__ import annotations

from nightschool import pool
from nightschool.chunks import Chunk
from nightschool.errors import DataError
from nightschool.recipe.data_file import DataFile
from nightschool.recipe.phases import Pool
from nightschool.records import Written
from tasks import questions
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    after = [manifest for _, manifest in night.made(questions.chunks(night))]
    rows = night.recipe.pool.asked or sum(one.rows for one in after)
    return [night.chunk("pool", 0, 0, "pool of questions", rows=rows, after=after)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    recipe = night.recipe
    if recipe.pool.file:
        return _loaded(recipe.pool, recipe.pool.file)
    pooled = pool.choose(
        night.rows(questions.chunks(night), Written),
        topics=recipe.topics,
        per_topic=recipe.pool.per_topic or 0,
        top_up=recipe.pool.top_up == "generator",
        levels=recipe.pool.generated,
        seed=recipe.seed,
        solver=recipe.verifier == "solver",
    )
    return Made(pooled.questions, [(row.reason, row) for row in pooled.dropped], {"checks": pooled.checks})


def _loaded(section: Pool, file: DataFile) -> Made:
    """The file's questions; one that is another than when the night began is refused.

    Raises:
        DataError: the file has changed or gone, or holds no questions.
    """
    if section.digest() != file.sha256:
        message = "the file has changed since the night began: begin a night of another name"
        raise DataError(message, file=file.paths[0])
    loaded = section.load()
    return Made(loaded.questions, [(row.reason, row) for row in loaded.dropped])


STEP = Step("pool", chunks, make)
