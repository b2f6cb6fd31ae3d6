"""From what the teachers said to a ruling on each question: votes, and an exact check where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from nightschool.hearing import Heard, Known, Said, Way
from nightschool.marking import agreed
from nightschool.records import Outcome, Results
from nightschool.reliability import Votes
from nightschool.ruling_line import RulingLine
from nightschool.seeds import rng_of
from nightschool.voting import Ballot, Decision, Rule, Same, ballot_of, candidates, decide

# Solutions are drawn by their place, and no longer by their text.
RULES_VERSION = 4

# Where a vote's confidence comes from: its share of a teacher's samples, their logprobs, or what they say themselves.
Confidence = Literal["votes", "logprobs", "stated"]

# Why a question has no answer that may be taught.
Undecided = Literal[
    "no_quorum", "tie", "low_agreement", "low_confidence", "not_unanimous", "not_numbers", "too_far_apart",
    "no_right_answer", "against_truth", "wrong_key", "unsolvable",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """How a night's committee rules, see the recipe's section `committee`; `quorum` is the least number of votes."""

    rule: Rule
    quorum: int
    min_agreement: float = 0.6
    min_confidence: float = 0.0
    consensus: float = 0.0
    voters: Literal["teachers", "samples"] = "teachers"
    confidence: Confidence = "votes"
    minority: Literal["accept", "reject"] = "accept"
    to_review: tuple[Undecided, ...] = ()
    reject_below: float = 0.0
    seed: int = 0


def ballots(said: Said, terms: Terms, same: Same = str.__eq__) -> list[Ballot]:
    """Every teacher's own vote, from its samples; None where it abstains."""
    return [_vote(teacher, heard, terms, same) for teacher, heard in said.items()]


def pattern(votes_T: Sequence[Ballot], same: Same = str.__eq__, *, closed: bool = False) -> Votes:
    """A question's votes as reliability is learned from them.

    Args:
        closed: the values are classes and keep their names (yes, no); else only who agrees with whom counts, so that a
            whole night has few patterns.
    """
    found = sorted(candidates(votes_T, same), key=lambda one: one.ballots[0].teacher)
    names = [one.value if closed else str(place) for place, one in enumerate(found)]
    return tuple(sorted((vote.teacher, name) for name, one in zip(names, found, strict=True) for vote in one.ballots))


def rule(
    row_id: str, said: Said, terms: Terms, *, known: Known | None = None, same: Same = str.__eq__
) -> tuple[RulingLine, Way | None]:
    """Ruling on one question: by the exact check where it knows the answer, else by votes; and the way that is taught.

    What is taught is a teacher's own words that led to the accepted answer, drawn by seed; if there are none, nothing.
    Whoever has them puts them into the ruling, with the question.

    Args:
        said: by teacher, in recipe order.
        same: whether two values are one answer; None (could not judge) keeps them apart.
    """
    own = ballots(said, terms, same)
    cast = own if terms.voters == "teachers" else _samples(said, terms)
    found = decide(cast, terms.rule, same=same)
    undecided = _undecided(found, cast, terms)
    vote = None if undecided else found.value
    rights = {one.value: one.right for heard in said.values() for one in heard if one.value is not None}
    vote_right = _right(vote, rights, same)
    answer, reason = (known.answer, known.reason) if known else (vote, undecided)
    if known and answer and vote_right is False and terms.minority == "reject":
        answer, reason = None, "against_truth"
    ways = _ways(said, answer, known, same)
    if answer and not ways:
        answer, reason = None, "against_truth" if known and vote else "no_right_answer"
    ruling = RulingLine(
        id=row_id,
        verdict=_outcome(reason, found, terms),
        answer=answer,
        by=known.by if known else "votes",
        reason=reason,
        votes={one.teacher: one.value for one in own},
        vote=vote,
        vote_right=vote_right,
        agreement=found.agreement,
        entropy=found.entropy,
        confidence=found.confidence,
        **_marks(said, own, rights, same),
    )
    return ruling, rng_of("reasoning", terms.seed, row_id).choice(ways) if ways else None


def _samples(said: Said, terms: Terms) -> list[Ballot]:
    sure = 1.0 if terms.confidence == "votes" else 0.0
    return [
        Ballot(teacher, one.value, sure if one.confidence is None else one.confidence)
        for teacher, heard in said.items()
        for one in heard
    ]


def _vote(teacher: str, heard: Sequence[Heard], terms: Terms, same: Same) -> Ballot:
    """A teacher's one vote: the answer that most of its samples give, if enough of them do.

    One that comes without the confidence that was asked for weighs nothing wherever confidence is weighed.
    """
    own = ballot_of(teacher, [one.value for one in heard], same)
    if own.value is None or own.confidence < terms.consensus:
        return Ballot(teacher, None, 0.0)
    if terms.confidence == "votes":
        return own
    behind = [one.confidence or 0.0 for one in heard if one.value is not None and same(one.value, own.value)]
    return Ballot(teacher, own.value, fmean(behind))


def _undecided(found: Decision, cast: Sequence[Ballot], terms: Terms) -> str | None:
    """Why the votes decide nothing; a missing vote is never a vote against."""
    if sum(ballot.value is not None for ballot in cast) < terms.quorum:
        return "no_quorum"
    if found.reason:
        return found.reason
    if found.agreement < terms.min_agreement:
        return "low_agreement"
    return "low_confidence" if found.confidence < terms.min_confidence else None


def _outcome(reason: str | None, found: Decision, terms: Terms) -> Outcome:
    if reason is None:
        return "accept"
    return "review" if reason in terms.to_review and found.agreement >= terms.reject_below else "reject"


def _right(vote: str | None, rights: Mapping[str, bool | None], same: Same) -> bool | None:
    """Whether the vote is right, by what is known of the values that were given."""
    if vote is None:
        return None
    marks = {right for value, right in rights.items() if right is not None and same(value, vote)}
    return marks.pop() if len(marks) == 1 else None


def _ways(said: Said, answer: str | None, known: Known | None, same: Same) -> list[Way]:
    """What was written on the way to the answer, each once, in an order of their own."""
    if answer is None:
        return []
    heard = (one for samples in said.values() for one in samples if one.value is not None)
    return sorted({one.way for one in heard if (one.right if known else same(one.value or "", answer))})


def _marks(said: Said, own: Sequence[Ballot], rights: Mapping[str, bool | None], same: Same) -> dict[str, Any]:
    """By teacher: whether its vote is right, samples that were judged, those that were right, and what came of both."""
    votes = {one.teacher: _right(one.value, rights, same) for one in own}
    counts = {teacher: sum(one.right is not None for one in heard) for teacher, heard in said.items()}
    judged = {teacher: count for teacher, count in counts.items() if count}
    results: dict[str, Results] = {}
    for teacher in judged:
        marks = {one.right for one in said[teacher] if one.value is not None} - {None}
        if marks:
            results[teacher] = "mixed" if len(marks) == 2 else "all_right" if True in marks else "all_wrong"
    right = {teacher: sum(one.right is True for one in said[teacher]) for teacher in judged}
    return {
        "votes_right": {teacher: vote for teacher, vote in votes.items() if vote is not None},
        "judged": judged,
        "right": right,
        "results": results,
        "agreed": agreed(results.values()),
    }
