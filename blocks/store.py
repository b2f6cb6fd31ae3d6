"""The store: rows by phase, key and chunk, whole or not there at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from nightschool.chunks import Chunk, FileMark, Manifest
from nightschool.errors import DataError, WorldError

R = TypeVar("R", bound=BaseModel)


class Store:
    """A folder of chunks: `<root>/<phase>/<key>/chunk-00017.*`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, chunk: Chunk) -> Path:
        return self.root / chunk.phase / chunk.key

    def path(self, chunk: Chunk, ending: str) -> Path:
        """A file of the chunk, such as `rows.jsonl`, `journal.jsonl`, `log`."""
        return self.folder(chunk) / f"{chunk.stem}.{ending}"

    def manifest(self, chunk: Chunk) -> Manifest | None:
        """The manifest of a whole chunk whose inputs are still the same; None if it must be made (anew)."""
        try:
            manifest = Manifest.model_validate_json(self.path(chunk, "manifest.json").read_bytes())
        except (OSError, ValidationError):
            return None
        if manifest.inputs != dict(chunk.inputs):
            return None
        whole = all(mark == _mark(self.folder(chunk) / name) for name, mark in manifest.files.items())
        return manifest if whole else None

    def rows(self, chunk: Chunk, kind: type[R], *, start: int = 0, stop: int | None = None) -> list[R]:
        """The chunk's kept rows, or those from `start` up to `stop`.

        Raises:
            DataError: a line is not a row of this kind; names file and line.
        """
        return list(_read_rows(self.path(chunk, "rows.jsonl"), kind, start, stop))

    def dropped(self, chunk: Chunk, kind: type[R]) -> list[R]:
        """The chunk's dropped rows, each with its reason."""
        return list(_read_rows(self.path(chunk, "dropped.jsonl"), kind))

    def commit(
        self,
        chunk: Chunk,
        *,
        rows: Sequence[BaseModel],
        dropped: Sequence[tuple[str, BaseModel]],
        figures: Mapping[str, Any],
        files: Iterable[Path] = (),
    ) -> Manifest:
        """Writes rows and dropped rows (each behind its reason), then the manifest; `files` lie in the folder already.

        Raises:
            WorldError: the store cannot be written (full, read-only, gone).
        """
        with writing(self.folder(chunk)):
            kept_at, dropped_at = self.path(chunk, "rows.jsonl"), self.path(chunk, "dropped.jsonl")
            write_whole(kept_at, _lines(rows))
            write_whole(dropped_at, _lines(row for _, row in dropped))
            reasons: dict[str, int] = {}
            for reason, _ in dropped:
                reasons[reason] = reasons.get(reason, 0) + 1
            names = [path.relative_to(self.folder(chunk)).as_posix() for path in (kept_at, dropped_at, *files)]
            manifest = Manifest(
                phase=chunk.phase,
                key=chunk.key,
                index=chunk.index,
                rows=len(rows),
                dropped=reasons,
                files={name: _must_mark(self.folder(chunk) / name) for name in names},
                inputs=dict(chunk.inputs),
                figures=dict(figures),
            )
            write_whole(self.path(chunk, "manifest.json"), manifest.model_dump_json(indent=1).encode())
        return manifest

    def forget(self, chunk: Chunk) -> None:
        """Makes the chunk unmade: manifest first, so that a kill in between leaves no half chunk that looks whole."""
        for ending in ("manifest.json", "rows.jsonl", "dropped.jsonl", "journal.jsonl"):
            self.path(chunk, ending).unlink(missing_ok=True)
        shutil.rmtree(self.path(chunk, "out"), ignore_errors=True)

    @contextmanager
    def lock(self, chunk: Chunk) -> Iterator[None]:
        """Only one process makes a chunk; another waits here, then finds it made. The kernel frees it on any death."""
        with writing(self.folder(chunk)):
            file = self.path(chunk, "lock").open("w")
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_whole(path: Path, data: bytes) -> None:
    """The file with all of `data`, or as it was before: written beside it, synced, renamed."""
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    with half.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Makes the folder; a disk that is full or read-only becomes a WorldError that names it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as err:
        raise WorldError(f"{folder}: the store cannot be written: {err.strerror or err}") from err


def _lines(rows: Iterable[BaseModel]) -> bytes:
    return b"".join(row.model_dump_json().encode() + b"\n" for row in rows)


def _read_rows(path: Path, kind: type[R], start: int = 0, stop: int | None = None) -> Iterator[R]:
    with path.open("rb") as file:
        for number, line in enumerate(islice(file, start, stop), start=start + 1):
            try:
                yield kind.model_validate_json(line)
            except ValidationError as err:
                raise DataError(f"not a {kind.__name__}: {err.errors()[0]['msg']}", file=path, line=number) from None


def _mark(path: Path) -> FileMark | None:
    return _must_mark(path) if path.is_file() else None


def _must_mark(path: Path) -> FileMark:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileMark(bytes=path.stat().st_size, sha256=digest)
