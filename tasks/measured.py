"""What the student answered, as figures: its stages, beside guessing and the committee; what it had been taught."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from nightschool.recipe.choosing import closed
from nightschool.recipe.stages import BASE
from nightschool.records import Measured, Question
from nightschool.report.measure import as_ruled, measure_latency, measure_stage
from nightschool.report.stage import Contamination, Latency, Stage
from nightschool.ruling_line import ruling_line
from nightschool.timing import Timed
from nightschool.values.read import equal
from tasks import balance, held_out, merge, review
from tasks.night import Night

# As the splits have it, where a recipe has none.
_NEARLY = 0.8

Rows = Mapping[str, Sequence[Measured]]


def answers(night: Night, names: Sequence[str] | None = None) -> dict[str, list[Measured]]:
    """Answers to held-out questions by stage, as far as they were asked; of these stages alone if they are named."""
    rows: dict[str, list[Measured]] = defaultdict(list)
    wanted = [chunk for chunk in held_out.chunks(night) if names is None or chunk.part in names]
    for chunk, _ in night.made(wanted):
        rows[chunk.part].extend(night.store.rows(chunk, Measured))
    return dict(rows)


def figures(night: Night, rows: Rows, alone: Sequence[Timed] = ()) -> tuple[Stage, ...]:
    """Every stage that answered, in order, each beside those before it; the last one has its times, one by one."""
    learner, ruled = night.recipe.learner, _ruled(night, rows)
    found: list[Stage] = []
    earlier: dict[str, Sequence[Measured]] = {}
    for name in learner.measured if learner else ():
        if rows.get(name):
            stage = measure_stage(
                name,
                rows[name],
                earlier=earlier,
                over=learner.stage(name).start if learner and name != BASE else None,
                latency=_latency(alone) if learner and name == learner.measured[-1] else None,
                closed=closed(night.recipe.answers),
                as_ruled=as_ruled(rows[name], ruled, lambda one, other: same(night, one, other)),
            )
            found.append(stage)
            earlier[name] = rows[name]
    return tuple(found)


def _latency(alone: Sequence[Timed]) -> Latency | None:
    first = [row.ttft_s for row in alone if row.ttft_s is not None]
    return measure_latency([row.e2el_s for row in alone], first) if alone else None


def contaminated(night: Night, rows: Rows) -> Contamination | None:
    """Held-out questions that were answered (all of them, where none has been yet), against those that were taught;
    None where either is missing."""
    held = _questions(night)
    asked = {row.question for found in rows.values() for row in found} or {question.id for question in held}
    taught = balance.taught(night) if asked else []
    questions = {question.id: question for question in held if question.id in asked} if taught else {}
    if not questions:
        return None
    from nightschool.contamination import contamination  # a second, and only the report needs it

    return contamination(
        ((name, question.question) for name, question in questions.items()),
        ((ruling.id, ruling.question.question) for ruling in taught),
        threshold=night.recipe.splits.threshold if night.recipe.splits else _NEARLY,
    )


def _questions(night: Night) -> list[Question]:
    learner = night.recipe.learner
    return [question for question, _ in held_out.rows(night, learner.validate.side)] if learner else []


def _ruled(night: Night, rows: Rows) -> dict[str, str]:
    """What the committee ruled on held-out questions of the file; those of the school it never saw."""
    section = night.recipe.validate_
    if section is None or section.per_topic is not None:
        return {}
    asked = {row.question for found in rows.values() for row in found}
    lines = night.read(review.out(night), ruling_line) if asked else ()
    return {line.id: line.answer for line in lines if line.answer is not None and line.id in asked}


def same(night: Night, one: str, other: str) -> bool:
    """Whether two answers of this night are one."""
    kind = night.recipe.answers.kind
    if night.recipe.answers.reply == "letter":
        return one == other
    told = equal(one, other, kind)
    return bool(merge.same(one, other, kind)) if told is None else told
