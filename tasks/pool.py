"""The pool: one chunk, from all written questions to the ones that are asked."""

from __future__ import annotations

from nightschool import pool
from nightschool.chunks import Chunk
from nightschool.errors import DataError
from nightschool.recipe.phases import Pool
from nightschool.recipe.recipe import Recipe
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
    if harm := changed(recipe):
        raise DataError(f"{harm}: begin a night of another name")
    if recipe.pool.file:
        return _loaded(recipe.pool)
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


def changed(recipe: Recipe) -> str | None:
    """What has become of the file of questions since the recipe was read; None if it can be asked from."""
    section, file = recipe.pool, recipe.pool.file
    try:
        if file and section.digest() != file.sha256:
            return f"{file.paths[0]} has changed since the night began"
    except DataError as err:
        return str(err)
    return None


def _loaded(section: Pool) -> Made:
    """The file's questions.

    Raises:
        DataError: the file has gone, or holds no questions.
    """
    loaded = section.load()
    return Made(loaded.questions.lines, [(row.reason, row) for row in loaded.dropped])


STEP = Step("pool", chunks, make)
