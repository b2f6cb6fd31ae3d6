"""One row of a file as it was found: a record, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A question of more characters is a mistake in the file, and a line of more bytes is none that anybody wrote.
MOST_CHARS = 100_000
MOST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Raw:
    """A row and its place: a line, counted from 1, or the place of the row in files that have no lines.

    `flaw` is a counter's name, and empty for a row that is a record.
    """

    file: Path
    line: int
    record: dict[str, Any]
    flaw: str = ""
    detail: str = ""


def bad(file: Path, line: int, flaw: str, detail: str = "") -> Raw:
    """A row that is no record."""
    return Raw(file, line, {}, flaw, detail[:300])
