"""From preference pairs to how often a rule wins that knows nothing of the answer, such as "the longer one"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from nightschool.layout import Mark, marks
from nightschool.statistics import wilson
from nightschool.wire import Message

# Of pairs where a rule decides; below, an interval says nothing anyhow.
_LEAST = 8


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A rule that picks a side without reading it: of `decides` pairs that it tells apart, the chosen side in `wins`.

    low, high: 95% interval of wins / decides. A half is what a rule reaches that knows nothing.
    """

    rule: str
    decides: int
    wins: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.wins / self.decides

    @property
    def warns(self) -> bool:
        """Whether it wins or loses more often than chance would have it, on enough pairs to be learned."""
        return self.decides >= _LEAST and (self.low > 0.6 or self.high < 0.4)


def shortcuts(pairs: Iterable[tuple[Sequence[Message], Sequence[Message]]]) -> list[Shortcut]:
    """Every rule that tells some pairs apart: length first, then marks by name.

    Args:
        pairs: chosen and rejected side of each.

    Source: plan 002, phase C, whose rejected side was a draft out of the prompt, five times as short and laid out
    otherwise than the chosen one: "the longer wins" was never wrong.
    """
    tally: dict[str, list[bool]] = {name: [] for name in ("longer", *get_args(Mark))}
    for chosen, rejected in pairs:
        good, bad = ("\n".join(turn.content for turn in side) for side in (chosen, rejected))
        if len(good) != len(bad):
            tally["longer"].append(len(good) > len(bad))
        mine, theirs = marks(good), marks(bad)
        for mark in mine ^ theirs:
            tally[mark].append(mark in mine)
    return [_shortcut(rule, won) for rule, won in tally.items() if won]


def _shortcut(rule: str, won: Sequence[bool]) -> Shortcut:
    low, high = wilson(sum(won), len(won))
    return Shortcut(rule, len(won), sum(won), low, high)
