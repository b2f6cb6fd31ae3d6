"""The parts of a report that are there before the student is proven, by its own names, for the report and for gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nightschool.records import Ruling
from nightschool.report.measure import measure_committee
from nightschool.timing import Timed
from tasks import committee, measured
from tasks.funnel import funnel, votes
from tasks.night import Night
from tasks.shares import shares


def rulings(night: Night) -> list[Ruling]:
    """Of a night of letters; those on solutions may be millions, and are counted in the manifests."""
    chunks = committee.chunks(night) if night.recipe.answers.reply == "letter" else []
    lost = [row for chunk, _ in night.made(chunks) for row in night.store.dropped(chunk, Ruling)]
    return [*night.rows(chunks, Ruling), *lost]


def ruled(night: Night, rows: Sequence[Ruling] | None = None) -> dict[str, Any]:
    """What the committee made of the answers; `rows` are its rulings, if they have been read."""
    teachers = [teacher.name for teacher in night.recipe.teachers]
    found = rulings(night) if rows is None else rows
    return {
        "committee": measure_committee(found, teachers=teachers, verifier=night.recipe.verifier),
        "votes": votes(night),
    }


def rows(night: Night) -> dict[str, Any]:
    """How many were left after each step."""
    return {"funnel": tuple(funnel(night))}


def taught(night: Night, answered: measured.Rows | None = None) -> dict[str, Any]:
    """What became of the shares of classes, and held-out questions among what is taught."""
    return {"shares": shares(night), "contamination": measured.contaminated(night, answered or {})}


def student(night: Night, names: Sequence[str], alone: Sequence[Timed] = ()) -> dict[str, Any]:
    """These stages, beside each other; `alone` are the last one's answers one by one."""
    return {"stages": measured.figures(night, measured.answers(night, names), alone)}
