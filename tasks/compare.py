"""Two nights on file, held against each other: recipes, reports, and answers to the same held-out questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from blocks.disk import write_whole, writing
from nightschool.records import Measured
from nightschool.report.comparing import Told, comparison
from nightschool.report.comparison import Comparison
from nightschool.review import content_of
from tasks import held_out, measured
from tasks.night import Night, facts_in
from tasks.reports import report_of


def compare(first: Night, second: Night) -> Comparison:
    """The second night beside the first.

    Raises:
        WorldError: one of them has no report yet.
    """
    return comparison(_told(first), _told(second))


def publish(second: Night, found: Comparison) -> Path:
    """Writes the page into the second night's folder."""
    # matplotlib takes two seconds to import, and only this function draws.
    from nightschool.report.comparison_page import render

    page = second.dir / f"against-{found.first.night}.html"
    with writing(second.dir):
        write_whole(page, render(found).encode())
    second.store.mirror(page)
    return page


def _told(night: Night) -> Told:
    found = report_of(night)
    around = {f"engine of {name}": engine for name, engine in night.engines.items()}
    around |= {f"rules of {phase}": str(version) for phase, version in facts_in(night.dir).rules.items()}
    around |= found.night.versions | found.night.machine
    return Told(recipe=night.recipe, report=found, answers=_answers(night), around=around)


def _answers(night: Night) -> dict[str, list[Measured]]:
    """By stage, each named by what was asked: a question's id says its place in its own night alone."""
    learner, rows = night.recipe.learner, measured.answers(night)
    if learner is None or not rows:
        return {}
    asked = {question.id: content_of(question) for question, _ in held_out.rows(night, learner.validate.side)}
    places = {seed: place for place, seed in enumerate(learner.validate.seeds)}
    return {stage: _named(found, asked, places) for stage, found in rows.items()}


def _named(rows: Sequence[Measured], asked: dict[str, str], places: dict[int, int]) -> list[Measured]:
    found = []
    for row in rows:
        if row.question in asked and row.seed in places:
            # The same words with another truth are another question.
            content, place = f"{asked[row.question]} {row.truth}", places[row.seed]
            found.append(row.model_copy(update={"id": f"{content}@{place}", "question": content, "seed": place}))
    return found
