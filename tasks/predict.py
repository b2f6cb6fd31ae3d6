"""Ensemble inference: a chunk for each problem, which every model is asked under every template, in its time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from blocks.disk import write_whole, writing
from nightschool import committee
from nightschool.chunks import Chunk, Together
from nightschool.committee import Terms
from nightschool.predict import Predicted, case_of
from nightschool.recipe.committee import Committee, quorum_of, terms_of
from nightschool.recipe.predict import Predict, voters
from nightschool.records import Question
from nightschool.reliability import Reliability
from nightschool.stopwatch import allowance_s
from tasks import progress
from tasks.night import Night
from tasks.problems import by_index, distinct, index_of
from tasks.solving import solve
from tasks.step import Made, Served, Step

_BEGAN = "predict.began"


def section_of(night: Night) -> Predict:
    """The recipe's section, which must be there."""
    assert night.recipe.predict is not None
    return night.recipe.predict


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.predict is None:
        return []
    asked = distinct(night)
    return [chunk_of(night, one, ordinal, len(asked)) for ordinal, one in enumerate(asked)]


def chunk_of(night: Night, problem: Question, ordinal: int, count: int) -> Chunk:
    """The chunk of a problem, in a file or not: its content says where it lies.

    Args:
        ordinal: its place among the `count` problems that there are, from 0.
    """
    label = f"problem {ordinal + 1}/{count}"
    after = [Together(problem.id, "problem")]
    return night.chunk("predict", index_of(problem), ordinal, label, rows=1, after=after)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    problem, count = by_index(night)[chunk.index], len(by_index(night))
    return make_one(night, chunk, problem, served, to_come=count - chunk.ordinal, at_once=section_of(night).at_once)


def make_one(night: Night, chunk: Chunk, problem: Question, served: Served, *, to_come: int, at_once: int) -> Made:
    """What the ensemble says of a problem, in the time that is left for it.

    Args:
        to_come: problems without an answer, this one included.
        at_once: how many are worked on side by side.

    Raises:
        WorldError: no model answers at all.
    """
    budget, began = section_of(night).budget, _began(night)
    left_s = None if budget.total_s is None else budget.total_s - (time.time() - began)
    within_s = allowance_s(left_s=left_s, to_come=to_come, at_once=at_once, most_s=budget.per_problem_s)
    counting, enough = terms(night), section_of(night).enough
    made = solve(
        night, chunk, problem, served, satisfied=lambda row: satisfied(row, counting, enough), within_s=within_s
    )
    progress.tracker(chunk.phase).rows(reused=not made.figures["requests"])
    return replace(made, figures={**made.figures, "used_s": time.time() - began})


def terms(night: Night, reliability: Reliability | None = None, section: Committee | None = None) -> Terms:
    """How votes are counted; without knowing how reliable each is, all weigh the same.

    Args:
        section: another than the recipe's.
    """
    recipe = night.recipe
    section = section or recipe.committee
    quorum = quorum_of(section, recipe.answers, len(voters(recipe)))
    if section.strategy == "reliability" and reliability is None:
        section = section.model_copy(update={"strategy": "majority", "min_confidence": 0.0})
    return terms_of(section, quorum=quorum, seed=recipe.seed, reliability=reliability)


def satisfied(row: Predicted, terms: Terms, enough: float) -> bool:
    """Whether the committee accepts an answer, by as many votes as are wanted."""
    ruling, _ = committee.rule(case_of(row), terms)
    return ruling.verdict == "accept" and (ruling.by == "solver" or ruling.agreement >= enough)


def begin(night: Night) -> None:
    """The time for all problems runs from here."""
    with writing(night.dir):
        write_whole(_file(night), repr(time.time()).encode())


def unheard(rows: Iterable[Predicted]) -> dict[str, Counter[str]]:
    """By voter, on how many problems one was not heard to the end, by reason."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        for voter, reason in row.unheard.items():
            found.setdefault(voter, Counter())[reason] += 1
    return found


def _began(night: Night) -> float:
    try:
        return float(_file(night).read_text())
    except (OSError, ValueError):
        return time.time()


def _file(night: Night) -> Path:
    return night.dir / _BEGAN


STEP = Step(
    "predict", chunks, make, at_once=lambda night: section_of(night).at_once if night.recipe.predict else 1, here=True
)
