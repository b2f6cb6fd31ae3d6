"""A store that several machines share: a folder to work in here, and the same chunks on any fsspec URL.

There, `<phase>/<key>/chunk-00017/<digest>/...` holds a chunk's files and `chunk-00017.<digest>.manifest.json`, written
last, makes them count; the digest is that of the manifest. No key is written twice. Of several manifests with the same
inputs the first by name is the chunk for everybody. `<journal>/` holds replies of a chunk being made, in segments.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from blocks.disk import mark_of, write_whole, writing
from blocks.lease import leased
from blocks.picked import PICKED, ROWS, Rows
from blocks.remote import Remote
from blocks.segments import Segments
from blocks.store import MANIFEST, Store
from nightschool.chunks import Chunk, Manifest

# How old a listing may be for a look; whoever holds a chunk's lock lists anew.
_LISTED_FOR_S = 5.0
# How old a look at the leases may be: it only decides what is made first.
_HELD_FOR_S = 1.0


class Shared(Store):
    """The store at `url`, worked on in the folder `root`.

    Args:
        place: what opens it again, if that is not the URL.
        options: what the driver of that kind of store is told, credentials too.
    """

    def __init__(self, root: Path, url: str, place: str = "", options: Mapping[str, Any] | None = None) -> None:
        super().__init__(root)
        self._remote, self._place = Remote(url, options), place or url
        self._me = uuid.uuid4().hex[:8]
        self._fetching = threading.RLock()
        self._listings: dict[str, tuple[float, list[str]]] = {}
        self._sought: set[tuple[str, str]] = set()
        self._leases: dict[str, tuple[float, set[str]]] = {}
        self._read: dict[str, tuple[bytes, Manifest] | None] = {}

    @property
    def place(self) -> str:
        return self._place

    def manifest(self, chunk: Chunk) -> Manifest | None:
        """The chunk as all machines have it, fetched if it is not here yet; else the one that only this machine has."""
        with self._fetching:
            here, names = self._digest(chunk), self._names(chunk)
            for digest in _digests(names, MANIFEST):
                if digest == here and (found := super().manifest(chunk)):
                    return found
                if found := self._fetch(chunk, digest):
                    return found
            return None if here in _digests(names, "forgotten") else super().manifest(chunk)

    def damage(self, chunk: Chunk) -> str | None:
        """What happened to a chunk that was whole once, here and there."""
        return None if self.manifest(chunk) else super().damage(chunk)

    def commit(
        self,
        chunk: Chunk,
        *,
        rows: Rows,
        dropped: Sequence[tuple[str, BaseModel | bytes]],
        figures: Mapping[str, Any],
        files: Iterable[Path] = (),
    ) -> Manifest:
        """Here first, then there; should another machine have been faster, its chunk is taken over."""
        made = super().commit(chunk, rows=rows, dropped=dropped, figures=figures, files=files)
        self._push(chunk)
        self._remote.delete(self._there(chunk, chunk.journal))
        return self.manifest(chunk) or made

    def forget(self, chunk: Chunk) -> None:
        """Makes the chunk unmade everywhere: a machine that still has it is told not to count it."""
        with self._fetching:
            self._listings.clear()
            digests = {*_digests(self._names(chunk), MANIFEST), self._digest(chunk)}
            for digest in filter(None, digests):
                self._remote.write(self._there(chunk, f"{chunk.stem}.{digest}.forgotten"), b"")
                self._remote.delete(self._there(chunk, f"{chunk.stem}.{digest}.{MANIFEST}"))
            self._remote.delete(self._there(chunk, chunk.stem), self._there(chunk, chunk.journal))
            self._listings.clear()
            super().forget(chunk)

    @contextmanager
    def lock(self, chunk: Chunk, waiting: Callable[[str], None] = lambda who: None) -> Iterator[None]:
        """One process of this machine, then one machine: see `leased`. Replies go there in segments at every beat."""
        with super().lock(chunk, waiting):
            self._listings.clear()
            if self.manifest(chunk):
                if self._digest(chunk) not in _digests(self._names(chunk), MANIFEST):
                    self._push(chunk)
                yield
                return
            segments = Segments(self._remote, self._there(chunk, chunk.journal), self.journal(chunk), self._me)
            with leased(self._remote, self._there(chunk, f"{chunk.stem}.lease"), segments.send, waiting):
                self._listings.clear()
                with writing(self.folder(chunk)):
                    segments.gather()
                yield

    def earlier(self, chunk: Chunk) -> tuple[Path, ...]:
        """Journals that put the same asks; those that only other machines have are brought, once a process."""
        if chunk.asks and (chunk.phase, chunk.asks) not in self._sought:
            self._sought.add((chunk.phase, chunk.asks))
            for name in self._remote.find(chunk.phase, f".{chunk.asks}.", ".journal.jsonl.zst"):
                if ".." in name.split("/"):
                    continue
                here = self.root.joinpath(*name.split("/")[:2], name.rsplit("/", 1)[-1])
                if not here.exists() and not here.with_suffix("").exists():
                    with writing(here.parent):
                        half = here.with_name(f".{here.name}.{os.getpid()}.half")
                        if self._remote.get(name, half):
                            half.replace(here)
        return super().earlier(chunk)

    def is_held(self, chunk: Chunk) -> bool:
        """Whether a process of this machine, or another machine, makes the chunk, as of a moment ago."""
        folder = self._there(chunk)
        at, leases = self._leases.get(folder, (-_HELD_FOR_S, set()))
        if time.monotonic() - at >= _HELD_FOR_S:
            leases = set(self._remote.folders(folder, ".lease"))
            self._leases[folder] = time.monotonic(), leases
        return f"{chunk.stem}.lease" in leases or super().is_held(chunk)

    def nights(self) -> list[str]:
        """Names of the nights that any machine began in it."""
        return sorted({*super().nights(), *self._remote.folders("nights")})

    def bring(self, folder: str) -> None:
        """Copies what is not here of the files right in a folder."""
        here = self.root / folder
        for name in self._remote.names(folder):
            if not (here / name).exists() and (data := self._remote.read(f"{folder}/{name}")) is not None:
                with writing(here):
                    write_whole(here / name, data)

    def probe(self) -> None:
        """Writes, and deletes again.

        Raises:
            WorldError: the store cannot be reached, or not be written.
        """
        self._remote.write(f"nights/.probe-{self._me}", b"")
        self._remote.delete(f"nights/.probe-{self._me}")

    def mirror(self, *paths: Path) -> None:
        """Copies files of the store there."""
        for path in paths:
            self._remote.write(path.relative_to(self.root).as_posix(), path.read_bytes())

    def _push(self, chunk: Chunk) -> None:
        raw = self.path(chunk, MANIFEST).read_bytes()
        digest = _digest(raw)
        for name in Manifest.model_validate_json(raw).files:
            self._remote.put(self.folder(chunk) / name, self._there(chunk, f"{chunk.stem}/{digest}/{name}"))
        self._remote.write(self._there(chunk, f"{chunk.stem}.{digest}.{MANIFEST}"), raw)
        self._listings.clear()

    def _fetch(self, chunk: Chunk, digest: str) -> Manifest | None:
        """Brings a chunk here, its manifest last; None if it has other inputs or is damaged there."""
        found = self._manifest_there(chunk, digest)
        if found is None or found[1].inputs != dict(chunk.inputs):
            return None
        folder = self.folder(chunk)
        with writing(folder):
            self.path(chunk, MANIFEST).unlink(missing_ok=True)
            for name, mark in found[1].files.items():
                wanted = mark.bytes, mark.sha256
                if mark_of(folder / name) == wanted:
                    continue
                half = folder / f".{digest}.{os.getpid()}.half"
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                there = self._there(chunk, f"{chunk.stem}/{digest}/{name}")
                if not self._remote.get(there, half) or mark_of(half) != wanted:
                    half.unlink(missing_ok=True)
                    return None
                half.replace(folder / name)
            for ending in (ROWS, PICKED):
                if self.path(chunk, ending).name not in found[1].files:
                    self.path(chunk, ending).unlink(missing_ok=True)
            write_whole(self.path(chunk, MANIFEST), found[0])
        return found[1]

    def _manifest_there(self, chunk: Chunk, digest: str) -> tuple[bytes, Manifest] | None:
        name = self._there(chunk, f"{chunk.stem}.{digest}.{MANIFEST}")
        if name not in self._read:
            raw = self._remote.read(name)
            if raw is None or _digest(raw) != digest:
                return None
            try:
                self._read[name] = raw, Manifest.model_validate_json(raw)
            except ValidationError:
                self._read[name] = None
        return self._read[name]

    def _names(self, chunk: Chunk) -> list[str]:
        folder = self._there(chunk)
        at, names = self._listings.get(folder, (-_LISTED_FOR_S, []))
        if time.monotonic() - at >= _LISTED_FOR_S:
            names = self._remote.names(folder)
            self._listings[folder] = time.monotonic(), names
        return [name for name in names if name.startswith(f"{chunk.stem}.")]

    def _there(self, chunk: Chunk, *names: str) -> str:
        return "/".join((chunk.phase, chunk.key, *names))

    def _digest(self, chunk: Chunk) -> str | None:
        try:
            return _digest(self.path(chunk, MANIFEST).read_bytes())
        except OSError:
            return None


def _digests(names: Iterable[str], ending: str) -> list[str]:
    """Digests in names such as `chunk-00017.<digest>.manifest.json`, in order."""
    return sorted(name.split(".")[1] for name in names if name.endswith(f".{ending}"))


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]
