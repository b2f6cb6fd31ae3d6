"""What a phase brings to the night: its chunks, and how one is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from blocks.picked import Rows
from nightschool.chunks import Chunk
from nightschool.wire import Endpoint
from tasks.night import Night

Served = Mapping[str, Endpoint]


@dataclass(frozen=True, slots=True)
class Made:
    """A chunk's content: kept rows, dropped rows each behind its reason, figures, files that lie in its folder.

    A row may be its JSON line already. `scratch` are folders that are of no use once the chunk is whole.
    """

    rows: Rows = ()
    dropped: Sequence[tuple[str, BaseModel | bytes]] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[Path] = ()
    scratch: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A phase. `chunks` reads what the phases before it made; `make` makes one chunk, asking only who is served.

    `asks`: whether it asks anybody, so that a server is worth its start. `here`: only the night's own process makes its
    chunks, with its devices, its clock or its files; others need no more than the store and whom they ask.
    """

    phase: str
    chunks: Callable[[Night], list[Chunk]]
    make: Callable[[Night, Chunk, Served], Made]
    at_once: Callable[[Night], int] = lambda night: 1
    asks: Callable[[Night], bool] = lambda night: True
    here: bool = False

    def of(self, part: str) -> Step:
        """The step with the chunks of one part alone, such as one stage of the student."""
        return replace(self, chunks=lambda night: [chunk for chunk in self.chunks(night) if chunk.part == part])
