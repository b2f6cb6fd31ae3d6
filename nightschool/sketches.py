"""From texts to those that are nearly the same: MinHash signatures by datasketch, met in bands.

datasketch's own index holds a Python object for every row and band, 2 GB for 640,000 rows; sorted arrays hold 600 bytes
a row.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from nightschool.near import Twin
from nightschool.normal import normal, numbers, words

_PERMUTATIONS, _BANDS, _DEEP = 128, 25, 5
# Words in a run: of two questions of twenty words that differ in one, 71% of the runs are the same.
_SHINGLE = 3
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SEED = 1


class Sketches:
    """Signatures of texts, 600 bytes a row; with the same numbers in them or they are not compared."""

    def __init__(self, rows: Iterable[tuple[str, str]] = ()) -> None:
        self.ids: list[str] = []
        self._signatures = bytearray()
        self._numbers = array("L")
        self._like = MinHash(num_perm=_PERMUTATIONS, seed=_SEED, scheme="affine32", hashfunc=zlib.crc32)
        for row_id, text in rows:
            self.add(row_id, text)

    def add(self, row_id: str, text: str) -> None:
        plain = normal(text)
        run = words(plain)
        shingles = {" ".join(run[at : at + _SHINGLE]).encode() for at in range(max(1, len(run) - _SHINGLE + 1))}
        sketch = self._like.copy()
        sketch.update_batch(shingles)
        self.ids.append(row_id)
        self._signatures += sketch.hashvalues.tobytes()
        self._numbers.append(zlib.crc32(" ".join(numbers(plain)).encode()))

    def joined(self, more: Sketches) -> Sketches:
        """These rows, then those."""
        both = Sketches()
        both.ids = [*self.ids, *more.ids]
        both._signatures = self._signatures + more._signatures
        both._numbers = self._numbers + more._numbers
        return both

    @property
    def signatures(self) -> NDArray[np.uint32]:
        """Rows by permutations."""
        return np.frombuffer(self._signatures, dtype=np.uint32).reshape(-1, _PERMUTATIONS)

    def alike(self, one: int, other: int) -> float:
        """Estimated share of equal runs of words; 0 where the numbers differ."""
        if self._numbers[one] != self._numbers[other]:
            return 0.0
        rows = self.signatures
        return float(np.mean(rows[one] == rows[other]))

    def __len__(self) -> int:
        return len(self.ids)


def duplicates(found: Sketches, *, threshold: float, fixed: int = 0) -> dict[str, Twin]:
    """Rows that are nearly the same as an earlier one that stays, by id; the first `fixed` rows stay in any case.

    A pair at 0.8 is met with a chance of 0.9999, one at 0.7 with 0.99.
    """
    stays = list(range(len(found)))
    twins: dict[str, Twin] = {}
    for row, others in _met(found, anchors=len(found)):
        if row < fixed:
            continue
        for other in dict.fromkeys(stays[one] for one in others):
            if (share := found.alike(row, other)) >= threshold:
                stays[row] = other
                twins[found.ids[row]] = Twin(found.ids[other], share)
                break
    return twins


def crossing(anchors: Sketches, rows: Sketches, *, threshold: float) -> dict[str, Twin]:
    """Those of the rows that are nearly the same as an anchor, by id."""
    both, count = anchors.joined(rows), len(anchors)
    twins: dict[str, Twin] = {}
    for row, others in _met(both, anchors=count):
        if row < count:
            continue
        share, best = max((both.alike(row, other), -other) for other in others)
        if share >= threshold:
            twins[both.ids[row]] = Twin(both.ids[-best], share)
    return twins


def _met(found: Sketches, *, anchors: int) -> Iterator[tuple[int, list[int]]]:
    """Every row that shares a band with an earlier one among the first `anchors`, with the first such of each band."""
    if not len(found):
        return
    firsts = np.empty((len(found), _BANDS), dtype=np.int64)
    for band in range(_BANDS):
        firsts[:, band] = _first_in_band(found.signatures[:, band * _DEEP : (band + 1) * _DEEP], anchors)
    own = np.arange(len(found))[:, None]
    earlier = (firsts < own) & (firsts < anchors)
    for row in np.flatnonzero(earlier.any(axis=1)):
        yield int(row), sorted({int(one) for one in firsts[row][earlier[row]]})


def _first_in_band(part: NDArray[np.uint32], anchors: int) -> NDArray[np.int64]:
    """For each row the first anchor whose part of the signature is the same; its own place if there is none."""
    keys = np.zeros(len(part), dtype=np.uint64)
    for column in part.T:
        keys = (keys ^ column) * _MIX
        keys ^= keys >> np.uint64(29)
    known, first = np.unique(keys[:anchors], return_index=True)
    places = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
    own = np.arange(len(part))
    return np.where(known[places] == keys, first[places], own) if len(known) else own
