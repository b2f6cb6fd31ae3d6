"""Rows that wait for a person, out to a spreadsheet and back in."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

from blocks.decisions import Decisions
from blocks.disk import write_whole, writing
from nightschool.errors import DataError
from nightschool.review_sheet import read, write
from tasks import review
from tasks.cases import cases
from tasks.night import Night


def export(night: Night, file: Path) -> str:
    """Writes the rows that wait; what came of it, for people."""
    waiting = cases(night)
    with writing(file.parent):
        # With a byte order mark, or Excel takes it for another encoding.
        write_whole(file, write(waiting).encode("utf-8-sig"))
    back = f"nightschool review {night.name}{night.where} --import {shlex.quote(str(file))}"
    return f"{len(waiting)} rows in {file}; fill in the column decision (an answer, or reject), then: {back}"


def take_in(night: Night, file: Path, who: str) -> str:
    """Puts the decisions of a sheet on file, all of them or none; what came of it, for people.

    Raises:
        DataError: the file is none, or a line is bad; names them all.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"cannot be read as CSV in UTF-8: {getattr(err, 'strerror', None) or err}", file=file) from None
    rows = cases(night, review.queue(night))
    when = datetime.now(UTC).replace(microsecond=0)
    found = read(text, rows, file=str(file), who=who, when=when, night=night.name)
    Decisions(night.store).add(found)
    return f"{len(found)} decisions taken in, {len(review.undecided(night))} rows wait."
