"""What people decided and what they say of rows that are taught, and both in a sentence."""

from __future__ import annotations

from typing import Literal

from nightschool.report.proof import Estimate, Figure, People
from nightschool.report.sample_rows import Text
from nightschool.report.text import percent, visible

DID = {"accept": "accepted", "choose": "answered otherwise", "edit": "edited", "reject": "rejected"}


def reviewed(found: People) -> str:
    """ "16 rows decided (9 accepted, 7 rejected) by ada 12, bob 4; 4 wait"."""
    total = sum(found.actions.values())
    waiting = f"{found.waiting:,} wait for a person" if found.waiting else "none waits"
    if not total:
        return waiting
    did = ", ".join(f"{found.actions[action]:,} {words}" for action, words in DID.items() if action in found.actions)
    by = ", ".join(
        f"{visible(who)} {count:,}" for who, count in sorted(found.by.items(), key=lambda one: (-one[1], one[0]))
    )
    return f"{total:,} decided ({did}) by {by}; {waiting}"


class SpotRow(Figure):
    """A row that was drawn, and what a person says of it; no verdict = nobody has looked. instead: the answer that is
    right by them, if they gave another one."""

    id: Text
    topic: Text
    question: Text
    answer: Text
    verdict: Literal["good", "bad"] | None = None
    instead: Text | None = None
    who: Text = ""
    note: Text = ""


class SpotCheck(Figure):
    """A few of the rows that are taught, drawn by chance; `bad`: the share among those that were looked at.

    Source: plan 000, 5.3.
    """

    taught: int
    bad: Estimate | None
    rows: tuple[SpotRow, ...]

    @property
    def waiting(self) -> int:
        """Rows that nobody has looked at."""
        return sum(row.verdict is None for row in self.rows)


def spotted(found: SpotCheck) -> str:
    """ "1 of 20 rows is bad: 5.0% (0.9% to 23.6%) of the 1,344 that are taught; all were looked at"."""
    drawn = len(found.rows)
    if found.bad is None:
        return f"{drawn} of the {found.taught:,} rows that are taught were drawn by chance; nobody has looked at them"
    count = sum(row.verdict == "bad" for row in found.rows)
    waiting = f"{found.waiting} wait" if found.waiting else "none waits"
    share = f"{percent(found.bad.value)} ({percent(found.bad.low)} to {percent(found.bad.high)})"
    return (
        f"{count} of {found.bad.n} rows {'is' if count == 1 else 'are'} bad: {share} of the {found.taught:,} that are "
        f"taught; {waiting} of the {drawn} that were drawn"
    )
