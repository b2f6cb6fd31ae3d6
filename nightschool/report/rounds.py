"""From the gates of self-guided loops to a table: what each round gained, and which one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from nightschool.report.estimates import counted, gained, guessed, size_of, spoken
from nightschool.report.proof import Estimate, Figure, Gain
from nightschool.report.text import probability

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

    `baselines`: what guessing reaches on these questions. `pairs` that it learned from; None for the start.
    """

    loop: str
    stage: str
    pairs: int | None
    accuracy: Estimate | None
    gain: Gain | None
    fate: Fate
    baselines: dict[str, Estimate] = {}


def rounds_table(found: Sequence[Round]) -> Table:
    """A line for each round, and one before for the start."""
    rows = [
        [
            one.stage,
            "" if one.pairs is None else f"{one.pairs:,}",
            spoken(one.accuracy),
            size_of(one.accuracy),
            gained(one.gain),
            probability(one.gain.p) if one.gain else "",
            "where it began; this one is kept" if one.fate == "kept" and one.pairs is None else _FATES[one.fate],
        ]
        for one in found
    ]
    guesses = {name: one for each in found for name, one in guessed(each.baselines)}
    rows += [[name, "", spoken(one), size_of(one), "", "", ""] for name, one in guesses.items()]
    return ["", "pairs", "right", "n", "gained", "p", "its gate"], rows


def loops(found: Sequence[Round]) -> list[str]:
    """Every loop, a line for each round: "sft 50.0% (41.1% to 58.9%, n 120)", "-> dpo-1 70.0% (...), kept"."""
    lines: dict[str, list[str]] = {}
    for one in found:
        right = "" if one.accuracy is None else f" {counted(one.accuracy)}"
        lines.setdefault(one.loop, []).append(f"{one.stage}{right}{_ENDS.get(one.fate, '')}")
    return [f"{'-> ' if place else ''}{part}" for parts in lines.values() for place, part in enumerate(parts)]
