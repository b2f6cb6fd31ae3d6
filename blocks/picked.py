"""A chunk's rows on file: packed lines, or, where they are rows of another chunk as they lie there, their places."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError, field_validator

from blocks.disk import write_whole
from blocks.links import refuse_links
from blocks.packed import Runs, write_packed
from nightschool.chunks import Chunk, FileMark, Manifest
from nightschool.errors import DataError
from nightschool.sources.aside import Lines

ROWS, PICKED, MANIFEST = "rows.jsonl.zst", "picked.json", "manifest.json"
_MOST_ROWS = 1 << 40  # of a chunk; more can only be meant to do harm


@dataclass(frozen=True, slots=True)
class Picked:
    """Rows of `source` by their places there, from 0 and in order: what is kept as it is need not be written again."""

    source: Chunk
    places: Sequence[int]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def runs(self) -> Runs:
        """The places as runs, each from its first to behind its last."""
        found: list[tuple[int, int]] = []
        for place in self.places:
            if found and found[-1][1] == place:
                found[-1] = found[-1][0], place + 1
            else:
                found.append((place, place + 1))
        return found


Rows = Sequence[BaseModel | bytes] | Lines | Picked


class _Picked(BaseModel):
    """The file: where the rows lie, from the store's root, what they were then, and which of them are meant."""

    folder: Annotated[str, Field(pattern=r"^[a-z_]+/[A-Za-z0-9]+$")]
    stem: Annotated[str, Field(pattern=r"^chunk-[0-9]+$")]
    content: str
    runs: list[tuple[int, int]]

    @field_validator("runs")
    @classmethod
    def _in_order(cls, runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        ends = [0, *(place for run in runs for place in run)]
        if any(before > after for before, after in pairwise(ends)) or ends[-1] > _MOST_ROWS:
            raise ValueError("its places are in no order")
        return runs

    def path(self, root: Path, ending: str) -> Path:
        return root / self.folder / f"{self.stem}.{ending}"


def write_rows(root: Path, folder: Path, stem: str, rows: Rows) -> tuple[str, FileMark]:
    """A chunk's rows, whole or not there: the file's name, and what it is."""
    packed, picked = (folder / f"{stem}.{ending}" for ending in (ROWS, PICKED))
    if not isinstance(rows, Picked):
        picked.unlink(missing_ok=True)
        return packed.name, write_packed(packed, lines_of(rows))
    packed.unlink(missing_ok=True)
    source = rows.source
    found = _Picked(folder=f"{source.phase}/{source.key}", stem=source.stem, content="", runs=list(rows.runs))
    found.content = _content(root, found)
    data = found.model_dump_json().encode()
    write_whole(picked, data)
    digest = hashlib.sha256(data).hexdigest()
    return picked.name, FileMark(bytes=len(data), sha256=digest, content=digest)


def rows_at(root: Path, folder: Path, stem: str) -> tuple[Path, Runs | None]:
    """The packed file that a chunk's rows lie in, and which of its lines they are; None: all.

    Raises:
        DataError: they were another chunk's, which is another now.
    """
    picked = folder / f"{stem}.{PICKED}"
    if not picked.exists():
        return folder / f"{stem}.{ROWS}", None
    try:
        found = _Picked.model_validate_json(picked.read_bytes())
    except ValidationError as err:
        raise DataError(f"does not read: {err.errors()[0]['msg']}", file=picked) from None
    if found.content != _content(root, found):
        raise DataError(f"these are rows of {found.folder}, which is another now: run their night again", file=picked)
    refuse_links(root / found.folder, found.path(root, ROWS))
    return found.path(root, ROWS), found.runs


def lines_of(rows: Sequence[BaseModel | bytes] | Lines) -> Sequence[bytes] | Lines:
    """Rows as JSON lines; some are already."""
    if isinstance(rows, Lines):
        return rows
    return [row if isinstance(row, bytes) else row.model_dump_json().encode() + b"\n" for row in rows]


def _content(root: Path, source: _Picked) -> str:
    """What the rows are that are picked from, by their manifest; nothing if there is none."""
    try:
        found = Manifest.model_validate_json(source.path(root, MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return ""
    rows = found.files.get(f"{source.stem}.{ROWS}")
    return rows.content if rows else ""
