"""The committee's sitting: one chunk, a ruling on every question."""

from __future__ import annotations

from collections import defaultdict

from nightschool import committee
from nightschool.chunks import Chunk
from nightschool.recipe.committee import terms_of
from nightschool.records import Answer, Question, Ruling
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
    teachers = [teacher.name for teacher in recipe.teachers]
    said: dict[str, dict[str, Answer]] = defaultdict(dict)
    for answer in night.rows(answers.chunks(night), Answer):
        said[answer.id][answer.teacher] = answer
    terms = terms_of(recipe.committee, quorum=recipe.quorum, seed=recipe.seed)
    return _made([
        committee.rule(
            question,
            committee.hear(question, said[question.id], teachers),
            terms,
            known=committee.known(question, solver=recipe.verifier == "solver", truth=recipe.verifier == "truth"),
        )
        for question in night.rows(pool.chunks(night), Question)
    ])  # fmt: skip


def _made(rulings: list[Ruling]) -> Made:
    return Made(
        rows=[ruling for ruling in rulings if ruling.verdict == "accept"],
        dropped=[(ruling.reason or "no_answer", ruling) for ruling in rulings if ruling.verdict != "accept"],
    )


STEP = Step("committee", chunks, make)
