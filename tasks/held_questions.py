"""Which questions are held out: the school's own, or the held-out side of the file."""

from __future__ import annotations

from functools import lru_cache, partial

from nightschool import validate
from nightschool.records import Question
from nightschool.splits import side_of
from nightschool.validate import Side
from tasks import pool
from tasks.night import Night


def count_of(night: Night, side: Side) -> int:
    """How many rows there are, without making their questions."""
    section = night.recipe.validate_
    if section is None:
        return 0
    count = len(night.recipe.topics) * section.per_topic if section.per_topic else len(_of_file(night, side))
    return count * len(section.seeds)


def rows(night: Night, side: Side) -> list[tuple[Question, int]]:
    """Every held-out question under every sampling seed; the same for all stages."""
    recipe, learner = night.recipe, night.recipe.learner
    assert learner is not None
    section = learner.validate
    if section.per_topic is None:
        return validate.rows(_of_file(night, side), section.seeds)
    return validate.rows(_of_school(recipe.topics, section.per_topic, section.levels, recipe.seed, side), section.seeds)


def _of_file(night: Night, side: Side) -> list[Question]:
    """The file's questions on a side; none as long as there is no pool."""
    recipe, asked = night.recipe, night.made(pool.chunks(night))
    section, splits = recipe.validate_, recipe.splits
    assert section is not None
    assert splits is not None
    lies = partial(side_of, validation=splits.validation, test=splits.test, salt=splits.salt)

    def drawn() -> list[Question]:
        questions = (row for chunk, _ in asked for row in night.store.rows(chunk, Question))
        kind, limit = recipe.answers.kind, section.limit
        return validate.of_side(questions, side, lies, kind, limit=limit, seed=recipe.seed)

    digests = " ".join(manifest.digest for _, manifest in asked)
    return night.once(f"held out {side} {digests}", drawn)


@lru_cache(maxsize=2)
def _of_school(
    topics: tuple[str, ...], per_topic: int, levels: tuple[int, ...], seed: int, side: Side
) -> tuple[Question, ...]:
    """Made once, not once for every chunk."""
    return tuple(validate.held_out(topics, per_topic=per_topic, levels=levels, seed=seed, side=side))
