"""Held-out questions put to the student: which they are, and its answers as measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial

from nightschool import validate
from nightschool.chunks import Chunk, split
from nightschool.records import Measured, Question
from nightschool.splits import side_of
from nightschool.validate import Side
from nightschool.wire import Endpoint, Reply, Sampling
from tasks import merge, pool, stages
from tasks.asking import ask_each
from tasks.night import Night
from tasks.rendering import same_prompts
from tasks.step import Made


def chunks(night: Night) -> list[Chunk]:
    """The chunks of validation, of the base and every stage that a recipe wants measured."""
    learner = night.recipe.learner
    if learner is None:
        return []
    asked = split(range(count_of(night, learner.validate.side)), learner.validate.chunk_rows)
    after = {name: stages.made_from(night, name) for name in learner.measured}
    parts = [(stage, index, len(run)) for stage in after for index, run in enumerate(asked)]
    return [
        night.chunk(
            f"validate/{stage}",
            index,
            ordinal,
            f"validate chunk {ordinal + 1}/{len(parts)} of {stage}",
            rows=count,
            after=after[stage],
        )
        for ordinal, (stage, index, count) in enumerate(parts)
    ]


def measure(night: Night, chunk: Chunk, name: str, endpoint: Endpoint, mine: Sequence[tuple[Question, int]]) -> Made:
    """The chunk's rows, each a question under a sampling seed, as the base or a stage answers it."""
    student, prompt = stages.learner(night).student, stages.learner(night).prompt(name)
    sampling = Sampling(temperature=student.temperature, top_p=student.top_p, max_tokens=student.max_tokens)
    letters = night.recipe.answers.reply == "letter"
    compared = same_prompts(night, endpoint, stages.rendered(night, name))
    made = ask_each(
        night,
        chunk,
        endpoint,
        mine,
        ask_of=lambda row: validate.ask(*row, prompt=prompt, sampling=sampling, letters=letters),
        flaw=None,  # the format is measured
        read=lambda row, reply: [_read(night, row, reply)],
        topic_of=lambda row: row[0].topic,
    )
    return replace(made, figures={**made.figures, "prompts": compared})


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


def _read(night: Night, row: tuple[Question, int], reply: Reply) -> Measured:
    section, kind = night.recipe.answers, night.recipe.answers.kind
    if section.reply == "letter":
        return validate.read(reply, *row)

    def same(truth: str, found: str) -> bool:
        return bool(merge.same(truth, found, kind))

    return validate.read_open(reply, *row, kind=kind, fallback=section.fallback, same=same)


@lru_cache(maxsize=2)
def _of_school(
    topics: tuple[str, ...], per_topic: int, levels: tuple[int, ...], seed: int, side: Side
) -> tuple[Question, ...]:
    """Made once, not once for every chunk."""
    return tuple(validate.held_out(topics, per_topic=per_topic, levels=levels, seed=seed, side=side))
