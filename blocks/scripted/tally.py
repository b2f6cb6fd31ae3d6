"""What a scripted server has been asked: the figures that show whether anything was paid for twice."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Tally:
    """Requests by the digest of their bodies.

    A request is paid for when a good reply was sent in full, or when its client went away while the server worked on
    it; one that met a fault is not.
    """

    total: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    aborted: int = 0
    paid_twice: int = 0
    answered_again: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    _asked: Counter[bytes] = field(default_factory=Counter)
    _answered: set[bytes] = field(default_factory=set)
    _paid: set[bytes] = field(default_factory=set)
    _file: int | None = None

    @classmethod
    def filed(cls, path: Path) -> Tally:
        """A tally that is written down event by event, so that a server that was killed goes on counting.

        Each event is one write() to the end of the file: servers may share it, and a kill loses none.
        """
        tally = read_tally(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        tally._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        return tally

    def begun(self) -> None:
        """A request came in, whatever it is."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def ended(self) -> None:
        """It has met its end."""
        self.in_flight -= 1

    def asked(self, digest: bytes, model: str) -> int:
        """Count a request; how often the same was asked before."""
        self._note(b"asked", digest, model)
        before = self._asked[digest]
        self._asked[digest] += 1
        self.models[model] += 1
        self.total += 1
        return before

    def answered(self, digest: bytes) -> None:
        """Count a good reply that was sent in full."""
        self._note(b"answered", digest)
        self.answered_again += digest in self._answered
        self._answered.add(digest)
        self._pay(digest)

    def deserted(self, digest: bytes) -> None:
        """Count a request whose client went away before it was answered."""
        self._note(b"deserted", digest)
        self.aborted += 1
        self._pay(digest)

    def failed(self, digest: bytes, fault: str) -> None:
        """Count a request that met a fault on the wire."""
        self._note(b"failed", digest, fault)
        self.faults[fault] += 1

    def spoiled(self, fault: str) -> None:
        """Count a reply that came late or is not as it was asked for."""
        self._note(b"spoiled", b"\0", fault)
        self.faults[fault] += 1

    def report(self) -> dict[str, object]:
        """The body of `/stats`: `duplicates` were asked before, `paid_twice` had been paid for as well."""
        return {
            "total": self.total,
            "distinct": len(self._asked),
            "duplicates": self.total - len(self._asked),
            "answered": len(self._answered),
            "answered_again": self.answered_again,
            "paid": len(self._paid),
            "paid_twice": self.paid_twice,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "aborted": self.aborted,
            "faults": dict(self.faults),
            "models": dict(self.models),
        }

    def _pay(self, digest: bytes) -> None:
        self.paid_twice += digest in self._paid
        self._paid.add(digest)

    def _note(self, event: bytes, digest: bytes, name: str = "-") -> None:
        if self._file is not None:
            os.write(self._file, b"%b %b %b\n" % (event, digest.hex().encode(), name.encode()))


def read_tally(path: Path) -> Tally:
    """The tally that a file has; an empty one if there is no file yet.

    What was begun and has no end counts as deserted: its server was killed, or is still at it.
    """
    tally = Tally()
    under_way: Counter[bytes] = Counter()
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if not line.endswith(b"\n"):
            break
        event, hexed, name = line.decode().rstrip("\n").split(" ", 2)
        digest = bytes.fromhex(hexed)
        if event == "asked":
            tally.asked(digest, name)
            under_way[digest] += 1
        elif event == "spoiled":
            tally.spoiled(name)
        else:
            under_way[digest] -= 1
            if event == "failed":
                tally.failed(digest, name)
            else:
                (tally.answered if event == "answered" else tally.deserted)(digest)
    for digest, times in under_way.items():
        for _ in range(times):
            tally.deserted(digest)
    return tally
