"""The problems of an ensemble: a file's rows under the ids that a contest calls them by, each text asked once."""

from __future__ import annotations

from typing import NamedTuple

from nightschool.errors import DataError
from nightschool.recipe.predict import source
from nightschool.records import Question
from tasks.night import Night


class Problem(NamedTuple):
    """A row of the file: what its contest calls it, and what is asked."""

    name: str
    question: Question


def problems(night: Night) -> list[Problem]:
    """Every row, in the file's order; several may ask the same.

    Raises:
        DataError: the file has changed since the recipe was read, or one id stands on two problems.
    """
    return night.once("problems of the ensemble", lambda: _read(night))


def distinct(night: Night) -> list[Question]:
    """What is asked, each once, in the order of the file."""
    return list({one.question.id: one.question for one in problems(night)}.values())


def by_index(night: Night) -> dict[int, Question]:
    """The same, by the index of its chunk."""
    return night.once("problems by index", lambda: {index_of(one): one for one in distinct(night)})


def index_of(question: Question) -> int:
    """Where its chunk lies, whatever file it is in: the content decides."""
    return int(question.id, 16)


def _read(night: Night) -> list[Problem]:
    found = source(night.recipe)
    assert found.file is not None
    if found.digest() != found.file.sha256:
        raise DataError(
            "the file has changed since the recipe was read: run the recipe itself", file=found.file.paths[0]
        )
    rows = [Problem(row.name or row.id, row) for row in found.each()]
    ids: dict[str, str] = {}
    for row in rows:
        if ids.setdefault(row.name, row.question.id) != row.question.id:
            raise DataError(f"two problems have the id {row.name!r:.80}", file=found.file.paths[0])
    return rows
