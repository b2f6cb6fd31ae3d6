"""Chunks: the unit of retry, and the manifest that says one is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

T = TypeVar("T")

# Replies may come in any order, and a row that failed once more says so in other words.
_NOT_READ = (".journal.jsonl.zst", ".dropped.jsonl.zst", ".log")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A place in the store, and what a person calls it.

    `ordinal` counts from 0 within its phase, `rows` is how many it is to hold, `part` the teacher or stage it is of,
    `inputs` the digests of what it is made from. `asks`: see `nightschool.lineage.Keys`, empty if replies to one chunk
    are of no use to another.
    """

    phase: str
    key: str
    index: int
    ordinal: int
    label: str
    part: str = ""
    rows: int = 0
    inputs: tuple[tuple[str, str], ...] = ()
    asks: str = ""

    @property
    def stem(self) -> str:
        return f"chunk-{self.index:05d}"

    @property
    def journal(self) -> str:
        """Name of its journal: replies to other inputs (a student that was trained anew) are not its own."""
        return ".".join(filter(None, [self.stem, self.asks, combined(dict(self.inputs))[:8], "journal.jsonl"]))


class FileMark(BaseModel):
    """Size in bytes and SHA-256 of one file of a chunk as it lies there; `content` is the digest before packing.

    Two versions of zstd pack the same rows into different bytes: what is made from rows goes by their content.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int
    sha256: str
    content: str


def _beside(name: str) -> str:
    """A store may come from anywhere: what its manifests name is read, and written where machines share it."""
    if "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
        raise ValueError(f"{name!r:.80} is no file of the chunk's folder")
    return name


class Manifest(BaseModel):
    """Exists if and only if the chunk is whole; written last.

    `inputs` holds the digests of what it was made from: a chunk whose inputs were made anew is stale.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phase: str
    key: str
    index: int
    rows: int = Field(ge=0)
    dropped: dict[str, int]
    files: dict[Annotated[str, AfterValidator(_beside)], FileMark]
    inputs: dict[str, str]
    figures: dict[str, Any]

    @property
    def place(self) -> str:
        """What an input made of it is called."""
        return f"{self.phase}/{self.key}/{self.index:05d}"

    @property
    def digest(self) -> str:
        """Identity of what others read: changes when a kept row or a trained file does."""
        read = {name: mark for name, mark in self.files.items() if not name.endswith(_NOT_READ)}
        text = "\n".join(f"{name} {mark.content}" for name, mark in sorted(read.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Together(NamedTuple):
    """Many chunks as one input of others, see `together`."""

    digest: str
    place: str = "all"


def together(manifests: Sequence[Manifest]) -> list[Manifest | Together]:
    """What every chunk of a phase is made from, as one input: a thousand digests are combined once, not for each."""
    if len(manifests) < 2:
        return list(manifests)
    return [Together(combined({one.place: one.digest for one in manifests}))]


def combined(digests: Mapping[str, str] | Sequence[str]) -> str:
    """One digest for several chunks, in order."""
    parts = [f"{k}={v}" for k, v in digests.items()] if isinstance(digests, Mapping) else list(digests)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def split(rows: Sequence[T], chunk_rows: int) -> list[Sequence[T]]:
    """Rows in runs of at most `chunk_rows`; no rows, no chunks."""
    return [rows[start : start + chunk_rows] for start in range(0, len(rows), chunk_rows)]
