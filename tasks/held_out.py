"""Held-out questions put to the student, and its answers as measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from nightschool import validate
from nightschool.chunks import Chunk, split
from nightschool.records import Measured, Question
from nightschool.wire import Ask, Endpoint, Reply, Sampling
from tasks import drafts, merge, stages
from tasks.asking import ask_each
from tasks.held_questions import count_of, rows
from tasks.layout import laid
from tasks.night import Night
from tasks.rendering import same_prompts
from tasks.step import Made

__all__ = ["chunks", "count_of", "measure", "rows"]


def chunks(night: Night) -> list[Chunk]:
    """The chunks of validation, of the base and every stage that a recipe wants measured."""
    learner = night.recipe.learner
    if learner is None:
        return []
    asked = split(range(count_of(night, learner.validate.side)), learner.validate.chunk_rows)
    after = {name: stages.asked_with(night, name) for name in learner.measured}
    return laid(night, "validate", dict.fromkeys(after, asked), "of", after)


def measure(
    night: Night,
    chunk: Chunk,
    name: str,
    endpoint: Endpoint,
    mine: Sequence[tuple[Question, int]],
    draft: drafts.DraftOf | None = None,
) -> Made:
    """The chunk's rows, each a question under a sampling seed, as the base or a stage answers it.

    Args:
        draft: what it is shown beside a question, where that is not the draft that it is always shown.
    """
    compared = same_prompts(night, endpoint, stages.rendered(night, name))
    made = ask_each(
        night,
        chunk,
        endpoint,
        mine,
        ask_of=asker(night, name, draft),
        flaw=None,  # the format is measured
        read=lambda row, reply: [_read(night, row, reply)],
        topic_of=lambda row: row[0].topic,
    )
    return replace(made, figures={**made.figures, "prompts": compared})


def asker(night: Night, name: str, draft: drafts.DraftOf | None = None) -> Callable[[tuple[Question, int]], Ask]:
    """How the base or a stage is asked a question under a sampling seed; `draft` as in `measure`."""
    student, prompt = stages.learner(night).student, stages.learner(night).prompt(name)
    sampling = Sampling(temperature=student.temperature, top_p=student.top_p, max_tokens=student.max_tokens)
    letters, shown = night.recipe.answers.reply == "letter", draft or drafts.shown(night, name)
    return lambda row: validate.ask(*row, prompt=prompt, sampling=sampling, letters=letters, draft=shown(row[0]))


def _read(night: Night, row: tuple[Question, int], reply: Reply) -> Measured:
    section, kind = night.recipe.answers, night.recipe.answers.kind
    if section.reply == "letter":
        return validate.read(reply, *row)

    def same(truth: str, found: str) -> bool:
        return bool(merge.same(truth, found, kind))

    return validate.read_open(reply, *row, kind=kind, fallback=section.fallback, same=same)
