"""From rulings to counts that add up over chunks: verdicts and reasons, agreement, each teacher's votes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from nightschool.records import Ruling
from nightschool.ruling_line import RulingLine

# Shares of votes fall into steps of five points: ten teachers can't agree more finely.
STEPS = 20


class Level(BaseModel):
    """Questions of one step of agreement: all, those that the votes decide, those of them that are known, and right."""

    model_config = ConfigDict(extra="forbid")

    questions: int = 0
    decided: int = 0
    known: int = 0
    right: int = 0

    def __add__(self, other: Level) -> Level:
        return Level(**{name: getattr(self, name) + getattr(other, name) for name in Level.model_fields})


class Seat(BaseModel):
    """One teacher's votes: cast, those that are known to be right or wrong, right; and beside the committee's own.

    Of the questions where both are known, `beside`: `only_ours` are right by the votes alone (the teacher is wrong, or
    abstained), `only_theirs` by the teacher alone, `both` by both.
    """

    model_config = ConfigDict(extra="forbid")

    cast: int = 0
    known: int = 0
    right: int = 0
    beside: int = 0
    both: int = 0
    only_ours: int = 0
    only_theirs: int = 0

    def __add__(self, other: Seat) -> Seat:
        return Seat(**{name: getattr(self, name) + getattr(other, name) for name in Seat.model_fields})


class Sitting(BaseModel):
    """What a committee did with its questions; `by` counts who accepted, `reasons` what the others fell to.

    `overruled`: accepted against the votes, by an exact check. `not_compared`: pairs of values that could not be
    judged, so that they stayed two candidates. Levels by agreement in steps of 1/20, rounded down; `agreements` counts
    the questions on which anybody voted by the share itself, to four digits.
    """

    model_config = ConfigDict(extra="forbid")

    asked: int = 0
    by: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}
    overruled: int = 0
    not_compared: int = 0
    levels: dict[int, Level] = {}
    agreements: dict[str, int] = {}
    seats: dict[str, Seat] = {}

    def __add__(self, other: Sitting) -> Sitting:
        return Sitting(
            asked=self.asked + other.asked,
            by=_sum(self.by, other.by),
            reasons={
                one: _sum(self.reasons.get(one, {}), other.reasons.get(one, {}))
                for one in sorted({*self.reasons, *other.reasons})
            },
            overruled=self.overruled + other.overruled,
            not_compared=self.not_compared + other.not_compared,
            levels={
                one: self.levels.get(one, Level()) + other.levels.get(one, Level())
                for one in sorted({*self.levels, *other.levels})
            },
            agreements=_sum(self.agreements, other.agreements),
            seats={
                one: self.seats.get(one, Seat()) + other.seats.get(one, Seat())
                for one in dict.fromkeys([*self.seats, *other.seats])
            },
        )


def sit(rulings: Sequence[Ruling | RulingLine], *, not_compared: int = 0) -> Sitting:
    """The counts of a chunk's rulings."""
    # Most rulings are alike in all that is counted.
    alike = Counter(
        [(one.verdict, one.by, one.reason, _step(one), one.vote is None, one.vote_right) for one in rulings]
    )
    seats = Counter([
        (teacher, vote is None, one.votes_right.get(teacher), one.vote_right)
        for one in rulings for teacher, vote in one.votes.items()
    ])  # fmt: skip
    found = Sitting(asked=len(rulings), not_compared=not_compared)
    for (verdict, by, reason, step, silent, right), count in alike.items():
        told = Level(
            questions=count, decided=0 if silent else count, known=0 if right is None else count,
            right=count if right else 0,
        )  # fmt: skip
        found.levels[step] = found.levels.get(step, Level()) + told
        if verdict == "accept":
            found.by[by] = found.by.get(by, 0) + count
            found.overruled += count if right is False else 0
        else:
            counts = found.reasons.setdefault(verdict, {})
            counts[reason or ""] = counts.get(reason or "", 0) + count
    found.levels = dict(sorted(found.levels.items()))
    found.agreements = dict(sorted(Counter(f"{one.agreement:.4f}" for one in rulings if one.agreement).items()))
    for (teacher, silent, theirs, ours), count in seats.items():
        found.seats[teacher] = found.seats.get(teacher, Seat()) + _seat(silent, theirs, ours, count)
    return found


def _step(ruling: Ruling | RulingLine) -> int:
    return int(ruling.agreement * STEPS + 1e-9)


def _seat(silent: bool, theirs: bool | None, ours: bool | None, count: int) -> Seat:
    """Of so many votes of one teacher that are alike; `theirs` and `ours`: whether it, and the votes together, are
    right."""
    seat = Seat(cast=0 if silent else count, known=0 if theirs is None else count, right=count if theirs else 0)
    # Where the votes are known to be right or wrong, so is the truth: a teacher who abstained is not right.
    if ours is not None and (silent or theirs is not None):
        seat.beside = count
        if theirs or ours:
            setattr(seat, "both" if theirs and ours else "only_theirs" if theirs else "only_ours", count)
    return seat


def _sum(ours: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(ours) + Counter(theirs))
