"""From the counts of a committee's sitting to its part of the report: verdicts, agreement, each teacher's votes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nightschool.report.estimates import counted, gained, guessed, size_of, spoken
from nightschool.report.proof import AgreementLevel, Estimate, Gain, Voter, Votes
from nightschool.report.tables import Table
from nightschool.report.text import percent, plain, probability
from nightschool.sitting import STEPS, Seat, Sitting
from nightschool.statistics import bounded_mean, mcnemar_exact, paired_share, wilson

_BY = {"solver": "accepted by the solver", "truth": "accepted by the file's answer", "votes": "accepted by votes"}


def measure_votes(
    sitting: Sitting, *, strategy: str, voters: str, quorum: int, min_agreement: float, learned: Mapping[str, float],
    baselines: Mapping[str, Estimate] | None = None,
) -> Votes | None:  # fmt: skip
    """None where nothing was ruled on.

    Args:
        learned: each teacher's reliability, where it was learned from the votes.
        baselines: what guessing reaches on questions whose truth is known.
    """
    if not sitting.asked:
        return None
    decided = sum(level.decided for level in sitting.levels.values())
    return Votes(
        strategy=strategy,
        voters=voters,
        quorum=quorum,
        min_agreement=min_agreement,
        asked=sitting.asked,
        decided=decided,
        right=_share(
            sum(level.right for level in sitting.levels.values()), sum(level.known for level in sitting.levels.values())
        ),
        accepted=sitting.by,
        review=sitting.reasons.get("review", {}),
        rejected=sitting.reasons.get("reject", {}),
        overruled=sitting.overruled,
        not_compared=sitting.not_compared,
        levels=_levels(sitting),
        agreement=_agreement(sitting),
        baselines=dict(baselines or {}),
        teachers=tuple(_voter(name, seat, sitting, learned.get(name)) for name, seat in sitting.seats.items()),
    )


def _levels(sitting: Sitting) -> tuple[AgreementLevel, ...]:
    """What the votes decide where at least so much of them agree, as if that were the recipe's `min_agreement`."""
    found = []
    for least in sorted(step for step, level in sitting.levels.items() if level.decided):
        above = [level for step, level in sitting.levels.items() if step >= least]
        right = _share(sum(level.right for level in above), sum(level.known for level in above))
        coverage = sum(level.decided for level in above) / sitting.asked
        found.append(AgreementLevel(least=least / STEPS, coverage=coverage, right=right))
    return tuple(found)


def _agreement(sitting: Sitting) -> Estimate | None:
    counts = list(sitting.agreements.values())
    if not counts:
        return None
    value, low, high = bounded_mean(np.repeat([float(one) for one in sitting.agreements], counts))
    return Estimate(value=value, low=low, high=high, n=sum(counts))


def _voter(name: str, seat: Seat, sitting: Sitting, learned: float | None) -> Voter:
    gain = None
    if seat.beside:
        value, low, high = paired_share(seat.only_theirs, seat.only_ours, seat.beside)
        gain = Gain(over=name, value=value, low=low, high=high, p=mcnemar_exact(seat.only_theirs, seat.only_ours),
                    n=seat.beside)  # fmt: skip
    return Voter(
        name=name, coverage=seat.cast / sitting.asked, right=_share(seat.right, seat.known), gain=gain, learned=learned,
        voted=_share(seat.cast, sitting.asked),
    )  # fmt: skip


def _share(right: int, n: int) -> Estimate | None:
    if not n:
        return None
    low, high = wilson(right, n)
    return Estimate(value=right / n, low=low, high=high, n=n)


def words(found: Votes) -> str:
    """How the committee rules, and what that came to."""
    voters = "each teacher has one vote" if found.voters == "teachers" else "every sample has a vote"
    parts = [
        f"Strategy {plain(found.strategy)}; {voters}; at least {found.quorum} must vote and {found.min_agreement:.0%} "
        f"agree. The votes decide {found.decided:,} of {found.asked:,} questions"
    ]
    parts[0] += f", {counted(found.right)} of them right where the truth is known." if found.right else "."
    if found.agreement:
        mean = found.agreement
        parts.append(
            f"On average {percent(mean.value)} of the cast votes are for the leading answer ({percent(mean.low)} to "
            f"{percent(mean.high)}, {mean.n:,} questions with votes)."
        )
    if found.overruled:
        parts.append(f"{found.overruled:,} rows were accepted against the votes, by the exact check.")
    if found.not_compared:
        parts.append(f"{found.not_compared:,} pairs of answers could not be compared and stayed two candidates.")
    return " ".join(parts)


def verdicts(found: Votes) -> list[tuple[str, str, int]]:
    """Every verdict with its colour and count, the accepted ones first."""
    rows = [(_BY.get(by, by), "good", count) for by, count in found.accepted.items()]
    rows += [(f"for review: {plain(reason)}", "accent", count) for reason, count in found.review.items()]
    rows += [(f"rejected: {plain(reason)}", "bad", count) for reason, count in found.rejected.items()]
    return sorted(rows, key=lambda row: (("good", "accent", "bad").index(row[1]), -row[2]))


def voters_table(found: Votes) -> Table:
    """One line per teacher, one for the votes, and what guessing reaches."""
    columns: dict[str, list[str]] = {
        "voted": [spoken(one.voted) or percent(one.coverage) for one in found.teachers],
        "right": [percent(one.right.value) if one.right else "" for one in found.teachers],
        "95% interval": [interval(one.right) for one in found.teachers],
        "n": [size_of(one.right) for one in found.teachers],
        "learned": [percent(one.learned) if one.learned is not None else "" for one in found.teachers],
        "votes are better by": [gained(one.gain) for one in found.teachers],
        "p": [probability(one.gain.p) if one.gain else "" for one in found.teachers],
    }
    votes = {
        "voted": spoken(_share(found.decided, found.asked)),
        "right": percent(found.right.value) if found.right else "",
        "95% interval": interval(found.right),
        "n": size_of(found.right),
    }
    used = [name for name, cells in columns.items() if any(cells)]
    rows = [[one.name, *(columns[name][place] for name in used)] for place, one in enumerate(found.teachers)]
    rows.append(["the votes", *(votes.get(name, "") for name in used)])
    for who, one in guessed(found.baselines):
        cells = {"right": percent(one.value), "95% interval": interval(one), "n": size_of(one)}
        rows.append([who, *(cells.get(name, "") for name in used)])
    return ["who", *used], rows


def view(found: Votes | None) -> dict[str, Any]:
    """Words, bars and table, by the names that the template uses."""
    rows = verdicts(found) if found else []
    return {
        "votes_words": words(found) if found else "",
        "verdict_rows": rows,
        "verdict_most": max((count for _, _, count in rows), default=0),
        "voters_table": voters_table(found) if found else None,
    }


def interval(share: Estimate | None) -> str:
    return f"{percent(share.low)} to {percent(share.high)}" if share else ""
