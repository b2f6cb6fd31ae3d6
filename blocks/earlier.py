"""From a row's id to the replies that journals of other chunks have: what was paid for once is not asked again."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from blocks.journal import on_file


class Earlier:
    """Journals by the rows that they have; each is read once to know them, and again when they are wanted."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._lock = threading.Lock()
        self._places: dict[str, list[int]] | None = None

    def of(self, row_ids: Iterable[str]) -> bytes:
        """These rows' lines, unchecked, as far as there are any."""
        with self._lock:
            places = self._places = self._places if self._places is not None else self._looked_up()
        wanted: dict[int, list[str]] = defaultdict(list)
        for row_id in row_ids:
            for place in places.get(row_id, ()):
                wanted[place].append(row_id)
        return b"".join(self._lines(place, ids) for place, ids in sorted(wanted.items()))

    def _lines(self, place: int, row_ids: Sequence[str]) -> bytes:
        found = on_file(self._paths[place])
        return b"".join(found.lines(row_id) for row_id in row_ids if row_id in found)

    def _looked_up(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = defaultdict(list)
        for place, path in enumerate(self._paths):
            for row_id in on_file(path):
                places[row_id].append(place)
        return dict(places)


@lru_cache(maxsize=16)
def earlier(paths: tuple[Path, ...]) -> Earlier:
    """One for all chunks that have the same earlier journals."""
    return Earlier(paths)
