"""Question quality by language models: whose questions are preferred, and what of it is place and length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nightschool.report.estimates import counted
from nightschool.report.proof import SIGNIFICANT, Estimate, Figure
from nightschool.report.text import probability

Table = tuple[list[str], list[list[str]]]


class Compared(Figure):
    """One judge on the questions of two writers; the unit is the pair, which was shown in both orders.

    wins, losses: pairs that went the same way in both orders, or one way and a tie; ties: all others. rate: a tie is
    half a win; p: the exact sign test of wins against losses. first: of the replies that chose, those that chose what
    was shown first; agree: pairs with the same verdict in both orders; longer: of the replies that chose between two
    lengths, those that chose the longer one; even: the rate at equal length. unread: pairs without a readable reply in
    each order; where all are, there is no figure.
    """

    ours: str
    theirs: str
    judge: str
    pairs: int
    wins: int
    ties: int
    losses: int
    unread: int
    rate: Estimate | None
    p: float | None
    first: Estimate | None
    agree: Estimate | None
    longer: Estimate | None
    even: Estimate | None

    @property
    def told(self) -> str:
        """What is known of it in a few words."""
        if not self.pairs + self.unread:
            return "one of them wrote nothing that counts"
        if self.rate is None or self.p is None:
            return "nothing of it could be read"
        if self.p >= SIGNIFICANT or self.rate.low <= 0.5 <= self.rate.high:
            return "no significant difference"
        word = "better" if self.rate.value > 0.5 else "worse"
        by_length = self.even is not None and self.even.low <= 0.5 <= self.even.high
        return f"{word}, and at equal length no significant difference" if by_length else word


def quality_table(found: Sequence[Compared]) -> Table:
    """A column for each comparison, so that the table fits a phone."""
    lines = {
        "judge": [one.judge for one in found],
        "pairs": [f"{one.pairs:,}" for one in found],
        "won, even, lost": [f"{one.wins:,}, {one.ties:,}, {one.losses:,}" for one in found],
        "preferred": [_told(one.rate) for one in found],
        "p": [probability(one.p) for one in found],
        "at equal length": [_told(one.even) for one in found],
        "the one shown first": [_told(one.first) for one in found],
        "the longer one": [_told(one.longer) for one in found],
        "same in both orders": [_told(one.agree) for one in found],
        "not read": [f"{one.unread:,}" for one in found],
        "so": [one.told for one in found],
    }
    return ["", *(f"{one.ours} over {one.theirs}" for one in found)], [[name, *cells] for name, cells in lines.items()]


def lines(found: Sequence[Compared]) -> list[str]:
    """Each comparison for a terminal: who is preferred, then the same at equal length and what both say."""
    return [
        line
        for one in found
        for line in (
            f"{one.ours} over {one.theirs} by {one.judge}: {_told(one.rate)}",
            f"  at equal length {_told(one.even)}: {one.told}",
        )
    ]


def view(found: Sequence[Compared]) -> dict[str, Any]:
    """The table, by the name that the template uses."""
    return {"quality_table": quality_table(found) if found else None}


def _told(found: Estimate | None) -> str:
    return counted(found, "not known")
