"""What people decided, on file in the store: each sitting's decisions in a file of its own that is never changed.

A file is written whole or not at all, so that a kill tears no line, an import is on file entirely or not, and reviewers
at the same time, on machines that share the store too, take nothing from each other.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from blocks.disk import sync_folder, write_whole, writing
from blocks.store import Store
from nightschool.errors import DataError
from nightschool.review import Decision

_FOLDER = "review/decisions"
# How long a look at what other machines decided is good for.
_BROUGHT_FOR_S = 5.0


class Decisions:
    """All decisions of a store, in the order in which they were made."""

    def __init__(self, store: Store) -> None:
        self._store, self._at = store, store.root / _FOLDER
        self._brought = -_BROUGHT_FOR_S

    def read(self) -> list[Decision]:
        """Every decision that is on file.

        Raises:
            DataError: a line is no decision; names file and line.
        """
        if time.monotonic() - self._brought >= _BROUGHT_FOR_S:
            self._store.bring(_FOLDER)
            self._brought = time.monotonic()
        return [decision for path in self._files() for decision in _read(path)]

    def add(self, decisions: Sequence[Decision]) -> None:
        """Puts decisions on file, all of them or none; when it returns, a power cut loses none.

        Raises:
            WorldError: the store cannot be written.
        """
        if not decisions:
            return
        # Names are in order of time also where the clock went back.
        newest = max((int(path.stem.split("-")[0]) for path in self._files()), default=0)
        path = self._at / f"{max(time.time_ns(), newest + 1):020d}-{uuid.uuid4().hex[:8]}.jsonl"
        with writing(self._at):
            write_whole(path, b"".join(decision.model_dump_json().encode() + b"\n" for decision in decisions))
            sync_folder(self._at)
        self._store.mirror(path)

    def _files(self) -> list[Path]:
        return sorted(self._at.glob("[0-9]*-*.jsonl"))


# A file never changes once it is there.
@lru_cache(maxsize=1 << 14)
def _read(path: Path) -> tuple[Decision, ...]:
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            found.append(Decision.model_validate_json(line))
        except ValidationError as err:
            raise DataError(f"not a decision: {err.errors()[0]['msg']}", file=path, line=number) from None
    return tuple(found)
