"""From the gates of self-guided loops to a table: what each round gained, and which one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from nightschool.report.proof import Estimate, Figure, Gain
from nightschool.report.text import percent, points

if TYPE_CHECKING:
    from nightschool.report.tables import Table

Fate = Literal["start", "passed", "kept", "failed", "no_pairs"]
_FATES: dict[Fate, str] = {
    "start": "where it began", "passed": "held", "kept": "held; this one is kept",
    "failed": "gained too little: the loop ends before it", "no_pairs": "drafts made no pairs: the loop ends",
}  # fmt: skip

_ENDS: dict[Fate, str] = {"kept": ", kept", "failed": ", too little gained", "no_pairs": ", no pairs"}


class Round(Figure):
    """The student after a round of a loop, on questions of the validation side; `gain` is over the round before.

    `pairs` that it learned from; None for the start.
    """

    loop: str
    stage: str
    pairs: int | None
    accuracy: Estimate | None
    gain: Gain | None
    fate: Fate


def rounds_table(found: Sequence[Round]) -> Table:
    """A line for each round, and one before for the start."""
    rows = [
        [
            one.stage,
            "" if one.pairs is None else f"{one.pairs:,}",
            _share(one.accuracy),
            "" if one.gain is None else f"{points(one.gain.value)} ({points(one.gain.low)} to {points(one.gain.high)})",
            "where it began; this one is kept" if one.fate == "kept" and one.pairs is None else _FATES[one.fate],
        ]
        for one in found
    ]
    return ["", "pairs", "right", "gained", "its gate"], rows


def loops(found: Sequence[Round]) -> list[str]:
    """Every loop in a line: "sft 50.0% -> dpo-1 70.0%, kept -> dpo-2 60.0%, worse"."""
    lines: dict[str, list[str]] = {}
    for one in found:
        right = "" if one.accuracy is None else f" {percent(one.accuracy.value)}"
        lines.setdefault(one.loop, []).append(f"{one.stage}{right}{_ENDS.get(one.fate, '')}")
    return [" -> ".join(parts) for parts in lines.values()]


def _share(found: Estimate | None) -> str:
    return "" if found is None else f"{percent(found.value)} ({percent(found.low)} to {percent(found.high)})"
