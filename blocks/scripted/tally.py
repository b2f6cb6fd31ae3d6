"""What a scripted server has been asked: the figures that show whether anything was paid for twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Requests by the digest of their bodies; an aborted one lost its client before the reply was out."""

    total: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    aborted: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    _asked: Counter[bytes] = field(default_factory=Counter)
    _answered: set[bytes] = field(default_factory=set)
    _answered_again: int = 0

    def asked(self, digest: bytes, model: str) -> int:
        """Count a request; how often the same was asked before."""
        before = self._asked[digest]
        self._asked[digest] += 1
        self.models[model] += 1
        self.total += 1
        return before

    def answered(self, digest: bytes) -> None:
        """Count a good reply that was sent in full."""
        self._answered_again += digest in self._answered
        self._answered.add(digest)

    def report(self) -> dict[str, object]:
        """The body of `/stats`: `duplicates` were asked before, `answered_again` had been answered as well."""
        return {
            "total": self.total,
            "distinct": len(self._asked),
            "duplicates": self.total - len(self._asked),
            "answered": len(self._answered),
            "answered_again": self._answered_again,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "aborted": self.aborted,
            "faults": dict(self.faults),
            "models": dict(self.models),
        }
