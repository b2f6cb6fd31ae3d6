"""Every try at a chunk, on file as it begins and as it ends: what another process knows of a night that runs."""

from __future__ import annotations

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

import orjson

from blocks.disk import writing
from blocks.links import open_own
from nightschool.chunks import Chunk
from nightschool.errors import Stopped
from tasks.night import Night

Event = Literal["began", "made", "failed"]


@dataclass(frozen=True, slots=True)
class Note:
    """One line: what happened to a chunk. `at` in seconds since 1970, `bytes` of its journal at that moment."""

    event: Event
    at: float
    bytes: int
    error: str | None = None


_FILE = "tries.jsonl"

Notes = Mapping[tuple[str, str, int], Sequence[Note]]


class Try:
    """One try at a chunk: made, or failed with its error; a try that neither ended was cut off."""

    def __init__(self, night: Night, chunk: Chunk) -> None:
        self._night, self._chunk = night, chunk

    def __enter__(self) -> None:
        with writing(self._night.dir):
            self._note("began")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The disk may be full by now, and that is told already.
        with contextlib.suppress(OSError):
            if error is None:
                self._note("made")
            elif isinstance(error, Exception) and not isinstance(error, Stopped):
                self._note("failed", f"{error}" or type(error).__name__)

    def _note(self, event: Event, error: str | None = None) -> None:
        chunk = self._chunk
        journal = self._night.store.journal(chunk)
        line = {
            "phase": chunk.phase,
            "key": chunk.key,
            "index": chunk.index,
            "event": event,
            "at": time.time(),
            "bytes": journal.stat().st_size if journal.exists() else 0,
            "error": error,
        }
        # One write, so that lines of several processes do not mix.
        fd = open_own(self._night.dir / _FILE, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        finally:
            os.close(fd)


def tries(night: Night) -> Notes:
    """All that is on file, by phase, key and index of the chunk, oldest first; a torn line is no note."""
    found: dict[tuple[str, str, int], list[Note]] = defaultdict(list)
    try:
        lines = (night.dir / _FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        with contextlib.suppress(orjson.JSONDecodeError, KeyError, TypeError):
            one = orjson.loads(line)
            note = Note(one["event"], one["at"], one["bytes"], one["error"])
            found[one["phase"], one["key"], one["index"]].append(note)
    return found
