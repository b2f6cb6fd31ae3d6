"""The store: rows by phase, key and chunk, whole or not there at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from blocks.disk import mark_of, sync_folder, write_whole, writing
from blocks.journal import packed, packed_lines
from blocks.links import is_link, open_own, refuse_links
from blocks.packed import Runs, marked, parsed, unpack, write_packed
from blocks.picked import MANIFEST, PICKED, ROWS, Rows, lines_of, rows_at, write_rows
from nightschool.chunks import Chunk, Manifest
from nightschool.recipe.naming import is_night_name

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")

DROPPED, FRESH = "dropped.jsonl.zst", "fresh"


class Store:
    """A folder of chunks: `<root>/<phase>/<key>/chunk-00017.*`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._earlier: dict[tuple[Path, str], tuple[Path, ...]] = {}

    @property
    def place(self) -> str:
        """What opens it again, see blocks/places.py."""
        return str(self.root)

    def folder(self, chunk: Chunk) -> Path:
        return self.root / chunk.phase / chunk.key

    def path(self, chunk: Chunk, ending: str) -> Path:
        """A file of the chunk, such as `rows.jsonl.zst`, `out`, `log`."""
        return self.folder(chunk) / f"{chunk.stem}.{ending}"

    def journal(self, chunk: Chunk) -> Path:
        """Where its replies are kept while it is being made."""
        return self.folder(chunk) / chunk.journal

    def manifest(self, chunk: Chunk) -> Manifest | None:
        """The manifest of a whole chunk whose inputs are still the same; None if it must be made (anew)."""
        manifest, harm = self._examine(chunk)
        return None if harm else manifest

    def damage(self, chunk: Chunk) -> str | None:
        """What happened to a chunk that was whole once; None if nothing did, or its inputs are others now."""
        return self._examine(chunk)[1]

    def _examine(self, chunk: Chunk) -> tuple[Manifest | None, str | None]:
        path = self.path(chunk, MANIFEST)
        try:
            manifest = Manifest.model_validate_json(path.read_bytes())
        except OSError:
            return None, None
        except ValidationError:
            return None, f"{path.name} does not read"
        if manifest.inputs != dict(chunk.inputs):
            return None, None
        folder = self.folder(chunk)
        for name, mark in manifest.files.items():
            if is_link(folder, name):
                return manifest, f"{name} is a link"
            found = mark_of(folder / name)
            if found is None:
                return manifest, f"{name} is missing"
            if found != (mark.bytes, mark.sha256):
                return manifest, f"{name} is not what was written"
        return manifest, None

    def rows(self, chunk: Chunk, kind: type[R], *, start: int = 0, stop: int | None = None) -> list[R]:
        """The kept rows of a whole chunk, or those from `start` up to `stop`.

        Raises:
            DataError: a line is not a row of this kind; names file and line.
        """
        return list(self.read(chunk, kind.model_validate_json, start=start, stop=stop))

    def read(
        self,
        chunk: Chunk,
        parse: Callable[[bytes], T],
        *,
        dropped: bool = False,
        start: int = 0,
        stop: int | None = None,
    ) -> Iterator[T]:
        """What `parse` makes of each kept (or dropped) row's line, one by one.

        Raises:
            DataError: a line is not such a row; names file and line.
        """
        path, runs = self._lines_at(chunk, dropped)
        return parsed(path, parse, start, stop, runs)

    def dropped(self, chunk: Chunk, kind: type[R]) -> list[R]:
        """The dropped rows of a whole chunk, each with its reason."""
        return list(self.read(chunk, kind.model_validate_json, dropped=True))

    def lines(self, chunk: Chunk, *, dropped: bool = False) -> Iterator[bytes]:
        """The rows of a whole chunk, kept or dropped, as JSON lines."""
        path, runs = self._lines_at(chunk, dropped)
        return unpack(path, runs=runs)

    def _lines_at(self, chunk: Chunk, dropped: bool) -> tuple[Path, Runs | None]:
        return (self.path(chunk, DROPPED), None) if dropped else rows_at(self.root, self.folder(chunk), chunk.stem)

    def commit(
        self,
        chunk: Chunk,
        *,
        rows: Rows,
        dropped: Sequence[tuple[str, BaseModel | bytes]],
        figures: Mapping[str, Any],
        files: Iterable[Path] = (),
    ) -> Manifest:
        """Packs rows (some are lines already), drops by reason and journal, then writes the manifest; `files` stay.

        Raises:
            WorldError: the store cannot be written (full, read-only, gone).
        """
        folder, journal = self.folder(chunk), self.journal(chunk)
        with writing(folder):
            marks = {path.relative_to(folder).as_posix(): marked(path) for path in files}
            marks |= [write_rows(self.root, folder, chunk.stem, rows)]
            others = {self.path(chunk, DROPPED): lines_of([row for _, row in dropped])}
            if journal.exists():
                others[packed(journal)] = BytesIO(journal.read_bytes()).readlines()
            marks |= {path.name: write_packed(path, lines) for path, lines in others.items()}
            manifest = Manifest(
                phase=chunk.phase,
                key=chunk.key,
                index=chunk.index,
                rows=len(rows),
                dropped=dict(Counter(reason for reason, _ in dropped)),
                files=marks,
                inputs=dict(chunk.inputs),
                figures=dict(figures),
            )
            write_whole(self.path(chunk, MANIFEST), manifest.model_dump_json(indent=1).encode())
            sync_folder(folder)
            journal.unlink(missing_ok=True)
            self.path(chunk, FRESH).unlink(missing_ok=True)
        return manifest

    def reopen(self, chunk: Chunk) -> None:
        """Makes a chunk that was whole once ready to be made anew: what was paid for goes back into its journal."""
        journal = self.journal(chunk)
        if packed(journal).is_file() and not journal.exists():
            with writing(self.folder(chunk)):
                write_whole(journal, b"".join(packed_lines(journal)))
        self.path(chunk, MANIFEST).unlink(missing_ok=True)

    def earlier(self, chunk: Chunk) -> tuple[Path, ...]:
        """Journals of chunks that put the same asks for other inputs or under another key; none if it is to be fresh.

        A packed one is given by its unpacked name. Listed once for all chunks that lie beside each other.
        """
        if not chunk.asks or self.path(chunk, FRESH).exists():
            return ()
        beside = self.folder(chunk), chunk.journal.partition(".")[2]
        if beside not in self._earlier:
            found = {
                path.with_suffix("") if path.suffix == ".zst" else path
                for path in (self.root / chunk.phase).glob(f"*/chunk-*.{chunk.asks}.*.journal.jsonl*")
            }
            others = sorted(path for path in found if (path.parent, path.name.partition(".")[2]) != beside)
            self._earlier[beside] = tuple(others)
        return self._earlier[beside]

    def forget(self, chunk: Chunk) -> None:
        """Makes the chunk unmade: manifest first, so that a kill in between leaves no half chunk that looks whole.

        It is paid for anew then: replies in `earlier` journals are not for it.
        """
        for ending in (MANIFEST, ROWS, PICKED, DROPPED):
            self.path(chunk, ending).unlink(missing_ok=True)
        for path in self.folder(chunk).glob(f"{chunk.stem}.*.journal.jsonl*"):
            path.unlink()
        for ending in ("out", "checkpoints"):
            shutil.rmtree(self.path(chunk, ending), ignore_errors=True)
        if chunk.asks:
            self.path(chunk, FRESH).touch()

    @contextmanager
    def lock(self, chunk: Chunk, waiting: Callable[[str], None] = lambda who: None) -> Iterator[None]:
        """Only one process makes a chunk; another waits here, then finds it made. The kernel frees it on any death.

        Args:
            waiting: is told who makes it, once, if somebody does.
        """
        with writing(self.folder(chunk)):
            refuse_links(self.folder(chunk), self.path(chunk, "out"), self.path(chunk, "checkpoints"))
            file = os.fdopen(open_own(self.path(chunk, "lock"), os.O_RDWR | os.O_APPEND), "a+")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                waiting(file.read() or "another process")
                fcntl.flock(file, fcntl.LOCK_EX)
            file.truncate(0)
            file.write(f"{socket.gethostname()}, process {os.getpid()}")
            file.flush()
            yield

    def is_held(self, chunk: Chunk) -> bool:
        """Whether somebody makes the chunk at this moment; whoever makes it after all waits in `lock`."""
        try:
            file = self.path(chunk, "lock").open("r+b")
        except OSError:
            return False
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def nights(self) -> list[str]:
        """Names of the nights that were begun in it."""
        names = [path.parent.name for path in (self.root / "nights").glob("*/night.json")]
        return sorted(name for name in names if is_night_name(name))

    def bring(self, folder: str) -> None:
        """Has the files of a folder of the store here; they are, unless machines share the store."""

    def probe(self) -> None:
        """Raises if the store's other machines could not be reached through it."""

    def mirror(self, *paths: Path) -> None:
        """Has files of the store wherever the store's other machines look; here is enough for a store of one."""
