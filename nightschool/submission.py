"""From rulings on problems to what is handed in: one answer for each id, and where it comes from."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nightschool.records import Row
from nightschool.ruling_line import RulingLine
from nightschool.voting import Ballot, Names, Rule, decide

RULES_VERSION = 1

# Accepted by the committee; shown by putting it into the problem; its best guess; nobody said anything.
By = Literal["votes", "check", "guess", "stand_in"]
# Whatever strategy could not decide: most votes, and of equals the same in every run.
_GUESS = Rule("majority", ties="first")


class Submitted(Row):
    """What is handed in for one id; `value` is what the ensemble says, None = nothing, `reason` why it is unsure.

    `votes` by voter, None = it abstained; `agreement`: share of cast votes for the leading answer.
    """

    answer: str
    value: str | None
    by: By
    reason: str | None = None
    agreement: float = 0.0
    confidence: float = 0.0
    votes: dict[str, str | None] = {}
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is handed in where the committee does not accept, and where there is nothing at all."""

    unsure: Literal["best", "stand_in"]
    stand_in: str


def submitted(name: str, ruling: RulingLine, votes: Sequence[Ballot], terms: Terms, names: Names) -> Submitted:
    """One row of a submission.

    Args:
        name: what its contest calls the problem.
        votes: all that were cast, for a guess.
    """
    value: str | None = ruling.answer
    by: By = "check" if ruling.by == "solver" else "votes"
    if ruling.verdict != "accept" or value is None:
        value = decide(votes, _GUESS, names=names).value if terms.unsure == "best" else None
        by = "guess" if value is not None else "stand_in"
    return Submitted(
        id=name,
        answer=terms.stand_in if value is None else value,
        value=value,
        by=by,
        reason=ruling.reason,
        agreement=ruling.agreement,
        confidence=ruling.confidence,
        votes=ruling.votes,
        problem=ruling.id,
    )


def in_order(rows: Sequence[Submitted], ids: Sequence[str]) -> list[Submitted]:
    """The rows in a sample's order; those that it does not have come last, as they were."""
    places = {one: place for place, one in enumerate(dict.fromkeys(ids))}
    return sorted(rows, key=lambda row: places.get(row.id, len(places)))


def as_csv(rows: Sequence[Submitted], columns: Sequence[str]) -> bytes:
    """The file that is handed in.

    Args:
        columns: two, the id's and the answer's, in the contest's order.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    parts: Mapping[str, str] = {column: "answer" if column == "answer" else "id" for column in columns}
    writer.writerows([getattr(row, parts[column]) for column in columns] for row in rows)
    return text.getvalue().encode()


def counts(rows: Sequence[Submitted]) -> dict[str, int]:
    """How many answers come from where."""
    return dict(Counter(row.by for row in rows))
