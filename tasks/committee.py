"""The committee's sitting: one chunk, a ruling on every question."""

from __future__ import annotations

from collections import defaultdict

from nightschool import committee
from nightschool.chunks import Chunk
from nightschool.records import Answer, Question
from tasks import answers, pool
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.answers.reply != "letter":
        return []
    after = [manifest for _, manifest in night.made(answers.chunks(night))]
    rows = sum(chunk.rows for chunk in pool.chunks(night))
    return [night.chunk("committee", 0, 0, "committee", rows=rows, after=after)]


def out(night: Night) -> list[Chunk]:
    """Where the rows lie that the next phase goes on with."""
    return chunks(night)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    recipe = night.recipe
    said: dict[str, dict[str, Answer]] = defaultdict(dict)
    for answer in night.rows(answers.chunks(night), Answer):
        said[answer.id][answer.teacher] = answer
    rulings = [
        committee.rule(
            question,
            said[question.id],
            teachers=[teacher.name for teacher in recipe.teachers],
            quorum=recipe.committee.quorum,
            min_agreement=recipe.committee.min_agreement,
            solver=recipe.committee.verifier == "solver",
            seed=recipe.seed,
        )
        for question in night.rows(pool.chunks(night), Question)
    ]
    return Made(
        rows=[ruling for ruling in rulings if ruling.answer],
        dropped=[(ruling.reason or "no_answer", ruling) for ruling in rulings if not ruling.answer],
    )


STEP = Step("committee", chunks, make)
