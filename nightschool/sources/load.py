"""From files to the questions that are asked, in the files' order, and to every row that is none, with its reason."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from nightschool.errors import DataError
from nightschool.gaps import allowed_rows
from nightschool.records import Dropped, Question
from nightschool.sources import files
from nightschool.sources.aside import Aside
from nightschool.sources.kinds import KINDS
from nightschool.sources.mapping import NOT_BAD, Form, question_of

RULES_VERSION = 2

_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Where:
    """Files, and how they are read.

    Args:
        place: where the list of rows lies in a JSON document, if not where the kind has it.
        limit: only the first so many rows.
    """

    paths: Sequence[Path]
    encoding: str = "utf-8"
    split: str | None = None
    place: str | None = None
    limit: int | None = None


@dataclass(slots=True)
class Loaded:
    """What is in the files: `first_bad` are the first bad rows in words, each with its file and line.

    `fields` are those of the first question's record, `choices` the number that the question with fewest has.
    """

    questions: Aside[Question] = field(default_factory=lambda: Aside(Question))
    dropped: Aside[Dropped] = field(default_factory=lambda: Aside(Dropped))
    rows: int = 0
    bad: int = 0
    first_bad: list[str] = field(default_factory=list)
    fields: tuple[str, ...] = ()
    choices: int = 0

    def add(self, row: Question | Dropped) -> None:
        """Takes in one row."""
        self.rows += 1
        if isinstance(row, Question):
            self.choices = min(self.choices, len(row.choices)) if self.questions else len(row.choices)
            self.fields = self.fields or tuple(sorted(row.fields))
            self.questions.add(row)
            return
        self.dropped.add(row)
        if row.reason not in NOT_BAD:
            self.bad += 1
            self.first_bad += [row.detail] if len(self.first_bad) < _MOST_TOLD else []


def load(where: Where, form: Form, *, max_bad_rows: float = 0) -> Loaded:
    """Every row as a question; bad ones, duplicates and those that are not wanted are dropped.

    Args:
        max_bad_rows: how many may be bad: a share of all if below 1, else a count.

    Raises:
        DataError: a file can't be read, has no such field, or has too many bad rows; names the first ones.
        OSError: a file is not there.

    Source: plan 004, deepscaler_train.json; issue 4, "Sources".
    """
    paths = files.files_of(where.paths, where.split)
    if where.place and not any(path.suffix.lower() == ".json" for path in paths):
        raise DataError("pool.rows names a list within a JSON document, and this is none", file=where.paths[0])
    if where.split and not any(path.is_dir() for path in where.paths):
        raise DataError("pool.split is for a folder, and this is none", file=where.paths[0])
    found, fields = Loaded(), Counter[str]()
    for row in _rows(paths, where, form, fields):
        found.add(row)
    _has_fields(paths, form, fields)
    if not found.rows:
        raise DataError("there are no rows in it", file=where.paths[0])
    if found.bad > (most := allowed_rows(max_bad_rows, found.rows)):
        told = "; ".join(found.first_bad) + ("; ..." if found.bad > _MOST_TOLD else "")
        raise DataError(f"{found.bad:,} of {found.rows:,} rows are bad, {most:,} may be (pool.max_bad_rows): {told}",
                        file=where.paths[0])  # fmt: skip
    if not found.questions:
        counts = Counter(row.reason for row in found.dropped)
        told = ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())
        raise DataError(f"none of its {found.rows:,} rows is a question: {told}", file=where.paths[0])
    return found


def each(where: Where, form: Form) -> Iterator[Question | Dropped]:
    """Every row as it stands, also those that ask what an earlier one asks: a submission names each of them."""
    paths = files.files_of(where.paths, where.split)
    place, names = where.place or KINDS[form.kind].rows, _named(paths)
    for raw in islice(files.read(paths, encoding=where.encoding, place=place), where.limit):
        yield question_of(raw, form, f"{names[raw.file]}:{raw.line}")


def _rows(paths: Sequence[Path], where: Where, form: Form, fields: Counter[str]) -> Iterator[Question | Dropped]:
    # As numbers, which take half of the room: a file may have a million rows.
    seen: dict[int, int] = {}
    place, names = where.place or KINDS[form.kind].rows, _named(paths)
    numbers = {path: number for number, path in enumerate(paths)}
    for raw in islice(files.read(paths, encoding=where.encoding, place=place), where.limit):
        fields.update(raw.record.keys())
        at = f"{names[raw.file]}:{raw.line}"
        row = question_of(raw, form, at)
        if isinstance(row, Question):
            content = int(row.id, 16)
            if content in seen:
                line, number = divmod(seen[content], len(paths))
                detail = f"{at}: the same question as {names[paths[number]]}:{line}"
                row = Dropped(id=at, topic=row.topic, reason="duplicate", detail=detail, text=row.question[:2000])
            else:
                seen[content] = raw.line * len(paths) + numbers[raw.file]
        yield row


def _named(paths: Sequence[Path]) -> dict[Path, str]:
    """Files' names, as seen from the folder that holds them all."""
    folder = os.path.commonpath([path.parent for path in paths])
    return {path: path.relative_to(folder).as_posix() for path in paths}


def _has_fields(paths: Sequence[Path], form: Form, fields: Counter[str]) -> None:
    """Raises if no row has a field that the recipe names; a slip there would drop every row for another reason."""
    names = form.names
    made = {"choices"} if form.kind == "bigbench" else set()
    one = {"answer", "letter", "topic", "level", "id"} if form.kind == "plain" else set()
    wanted = [("question", name) for name in names.question] + [("choices", name) for name in names.choices]
    wanted += [(part, name) for part in sorted(one) if (name := getattr(names, part))]
    for part, name in wanted:
        if fields and name not in fields and name not in made:
            known = ", ".join(sorted(fields)[:20])
            message = f"no row has the field {name!r} (pool.fields.{part}); the rows have: {known}"
            raise DataError(message, file=paths[0])
