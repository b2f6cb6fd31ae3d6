"""From what a store holds to what of it may go, by age and size: nothing that a night that stays needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """A night, or the chunks that lie under one key. `used` is when it was last written, in seconds of the epoch."""

    name: str
    used: float
    bytes: int


@dataclass(frozen=True, slots=True)
class HeldNight(Held):
    """A night with the folders of chunks that it needs, by name ("answers/0f3a"); one that `stays` is never chosen."""

    needs: frozenset[str]
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What goes, in the order in which it was chosen, and bytes in all before and after."""

    nights: tuple[HeldNight, ...]
    folders: tuple[Held, ...]
    before: int

    @property
    def freed(self) -> int:
        return sum(one.bytes for one in (*self.nights, *self.folders))


def choose(
    nights: Iterable[HeldNight], folders: Iterable[Held], *, before: float | None = None, most_bytes: int | None = None
) -> Choice:
    """What goes: first all that is too old, then the oldest until the rest is small enough.

    A night takes along what nobody else needs. Chunks that no night needs go by their own age.

    Args:
        before: what was last used earlier is too old, in seconds of the epoch.
        most_bytes: as much may stay; more does where nights stay that need it.
    """
    left = sorted(nights, key=lambda one: one.used)
    chunks = {one.name: one for one in folders}
    total = sum(one.bytes for one in (*left, *chunks.values()))
    found = _Going(left, chunks)
    for one in found.oldest():
        old = before is not None and one.used < before
        large = most_bytes is not None and total - found.freed > most_bytes
        if old or large:
            found.take(one)
    return Choice(tuple(found.nights), tuple(found.folders), total)


class _Going:
    """What was chosen so far."""

    def __init__(self, nights: Sequence[HeldNight], chunks: dict[str, Held]) -> None:
        self._left, self._chunks = list(nights), dict(chunks)
        self.nights: list[HeldNight] = []
        self.folders: list[Held] = []
        self.freed = 0

    def oldest(self) -> list[Held]:
        """All that may go, the oldest first; what belongs to a night goes with it."""
        loose = [one for name, one in self._chunks.items() if name not in self._needed()]
        return sorted([*loose, *(one for one in self._left if not one.stays)], key=lambda one: one.used)

    def take(self, one: Held) -> None:
        if isinstance(one, HeldNight):
            self._left.remove(one)
            self.nights.append(one)
            self.freed += one.bytes
            self._drop(one.needs - self._needed())
        else:
            self._drop({one.name})

    def _drop(self, names: frozenset[str] | set[str]) -> None:
        for name in sorted(names & self._chunks.keys()):
            gone = self._chunks.pop(name)
            self.folders.append(gone)
            self.freed += gone.bytes

    def _needed(self) -> set[str]:
        return {name for one in self._left for name in one.needs}
