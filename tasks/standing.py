"""What all chunks of a phase need of the phases before it: listed once, while these stay as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from nightschool.chunks import Chunk
from tasks.night import Night

T = TypeVar("T")


def standing(night: Night, phase: str, what: str, make: Callable[[], T]) -> T:
    """The same thing for every chunk of `phase`, until a chunk of an earlier one is made or unmade.

    To list ten thousand chunks for each of ten thousand would take hours.
    """
    state: list[int] = []
    for place, key in night.keys.items():
        earlier = place.partition("/")[0]
        if earlier == phase:
            break
        try:
            # Names come and go in a folder with every manifest.
            state.append((night.store.root / earlier / key).stat().st_mtime_ns)
        except FileNotFoundError:
            state.append(0)
    return night.once(f"{what} before {phase}: {state}", make)


def beside(night: Night, chunk: Chunk, chunks: Callable[[Night], Sequence[Chunk]]) -> Sequence[Chunk]:
    """The chunks of an earlier phase that have the index of this one."""

    def by_index() -> dict[int, list[Chunk]]:
        found: dict[int, list[Chunk]] = defaultdict(list)
        for one in chunks(night):
            found[one.index].append(one)
        return dict(found)

    return standing(night, chunk.phase, f"{chunks.__module__} by index", by_index).get(chunk.index, ())
