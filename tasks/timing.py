"""The finished student against the clock: one by one, as a person waits, and as a contest makes it work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import orjson

from blocks.chat import request_body
from blocks.fleet import outlast
from blocks.streamed import First, Run, plain, stream
from nightschool import questions
from nightschool.chunks import Chunk
from nightschool.recipe.timing import Terms, TimedKind, timed
from nightschool.records import Dropped
from nightschool.timing import Pass, Timed, passes
from nightschool.wire import Ask, Endpoint
from tasks import branches, drafts, progress, stages
from tasks.held_out import asker
from tasks.held_questions import count_of
from tasks.held_questions import rows as every
from tasks.night import Night
from tasks.rendering import same_prompts
from tasks.step import Made, Served, Step
from tasks.timed import Parse, TimedRows

if TYPE_CHECKING:
    from nightschool.report.times import Times

# Behind the stage's name in the place of what it is timed at, where that is not answers.
_ASKING = "@questions"


def chunks(night: Night) -> list[Chunk]:
    learner = night.recipe.learner
    if learner is None:
        return []
    left_out = branches.skipped(night)
    found: list[Chunk] = []
    for kind, stage in timed(learner).items():
        if stage not in left_out:
            place = f"timing/{stage}{_ASKING if kind == 'questions' else ''}"
            label, rows = f"timing of {stage}, {kind}", sum(one.rows for one in plan(night, kind))
            after = (stages.asked_with if kind == "answers" else stages.made_from)(night, stage)
            found.append(night.chunk(place, 0, len(found), label, rows=rows, after=after))
    return found


def of(chunk: Chunk) -> tuple[TimedKind, str]:
    """What is timed, and whose it is."""
    stage = chunk.part.removesuffix(_ASKING)
    return ("answers" if stage == chunk.part else "questions"), stage


def asked(night: Night) -> dict[str, str]:
    """Who is asked at a place that is not called after them."""
    return {f"timing/{stage}{_ASKING}": stage for stage in timed(stages.learner(night)).values()}


def fresh(night: Night) -> bool:
    """Whether times are wanted from a server that has just been started."""
    learner = night.recipe.learner
    return learner is not None and learner.validate.contest is not None


def plan(night: Night, kind: TimedKind) -> tuple[Pass, ...]:
    """The passes over the requests of one kind, in order."""
    section = stages.learner(night).validate
    terms = _terms(night, kind)
    count = count_of(night, section.side) if kind == "answers" else _wanted(terms, section.timed)
    return passes(count, timed=section.timed, terms=terms)


def figures(night: Night) -> tuple[Times, ...]:
    """Of each kind of request that was timed."""
    from nightschool.report.timed import measure_times  # scipy, which only a report needs

    contest = night.recipe.validate_ and night.recipe.validate_.contest
    found: list[Times] = []
    for chunk, manifest in night.made(chunks(night)):
        kind, stage = of(chunk)
        rows, lost = night.store.rows(chunk, Timed), night.store.dropped(chunk, Dropped)
        totals_s, name = manifest.figures["totals_s"], contest.name if contest else ""
        terms = _terms(night, kind)
        found.append(
            measure_times(kind, stage, plan(night, kind), rows, lost, totals_s=totals_s, contest=name, terms=terms)
        )
    return tuple(found)


def one_by_one(night: Night) -> list[Timed]:
    """Answers that were timed with nothing else going on, by a server that was at work before."""
    answered = [chunk for chunk in chunks(night) if of(chunk)[0] == "answers"]
    return [row for row in night.rows(answered, Timed) if row.way == "single" and row.warm]


def make(night: Night, chunk: Chunk, served: Served, *, parse: Parse = orjson.loads) -> Made:
    """The chunk's rows; `parse` reads an event's JSON, when the pass that it came in is over."""
    kind, stage = of(chunk)
    endpoint, order = served[stage], plan(night, kind)
    asks = _asks(night, kind, stage)
    drafting = _drafting(night, kind, stage, served)
    compared = same_prompts(night, endpoint, stages.rendered(night, stage))
    found = TimedRows(kind, asks, parse)

    def run() -> None:
        found.begin()
        if order[0].warm:
            stream(endpoint, [[request_body(asks[0], endpoint.model, stream=True)]])
        for one in order:
            found.take(one, _put(endpoint, one, asks, drafting))
            progress.tracker(chunk.phase).rows(one.rows)

    outlast(endpoint, run)
    made = found.made()
    return replace(made, figures={**made.figures, "prompts": compared})


@dataclass(frozen=True, slots=True)
class _Drafting:
    """Who is asked for a draft before each answer, and how: what is shown to be answered is the draft on file."""

    endpoint: Endpoint
    asks: Sequence[Ask]

    def before(self, one: Pass) -> First:
        asks = self.asks[one.first : one.first + one.rows]
        return First(self.endpoint, [request_body(ask, self.endpoint.model, stream=one.way != "plain") for ask in asks])


def _drafting(night: Night, kind: TimedKind, stage: str, served: Served) -> _Drafting | None:
    learner = stages.learner(night)
    drafter = learner.draft_of(stage) if kind == "answers" else ""
    if not drafter:
        return None
    ask = drafts.asker(night, drafter)
    asks = [ask(question) for question, _ in every(night, learner.validate.side)]
    return _Drafting(drafts.beside(served, drafter, stage), asks)


def _put(endpoint: Endpoint, one: Pass, asks: Sequence[Ask], drafting: _Drafting | None) -> Run:
    bodies = [request_body(ask, endpoint.model, stream=one.way != "plain") for ask in asks]
    first = drafting.before(one) if drafting else None
    if one.way == "plain":
        return plain(endpoint, bodies[one.first : one.first + one.rows], first)
    return stream(endpoint, [[bodies[place] for place in batch] for batch in one.batches], first)


def _terms(night: Night, kind: TimedKind) -> Terms | None:
    contest = stages.learner(night).validate.contest
    return contest.terms(kind) if contest else None


def _wanted(terms: Terms | None, timed: int) -> int:
    return (terms.rows if terms else 0) + timed


def _asks(night: Night, kind: TimedKind, stage: str) -> list[Ask]:
    """What is asked, in the order of the passes: held-out questions, or questions to be written, topics in turn."""
    learner, recipe = stages.learner(night), night.recipe
    count = max((one.first + one.rows for one in plan(night, kind)), default=0)
    if kind == "answers":
        ask_of = asker(night, stage)
        return [ask_of(row) for row in every(night, learner.validate.side)[:count]]
    section = recipe.questions
    assert section is not None, "who learned to ask learned it from questions"
    prompt, named = learner.stage(stage).prompts["questions"], questions.row_ids(recipe.topics, count)
    return [
        questions.ask(topic, row_id, teacher=f"timing {stage}", seed=recipe.seed, prompt=prompt,
                      sampling=section.sampling)
        for topic, row_id in islice(named, count)
    ]  # fmt: skip


STEP = Step("timing", chunks, make, here=True)
