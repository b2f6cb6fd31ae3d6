"""From what the teachers said to a ruling on each question: votes, and an exact check where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from nightschool.hearing import Case, Heard, Said, Way
from nightschool.marking import agreed, results_of
from nightschool.records import Outcome, Results
from nightschool.reliability import Votes
from nightschool.ruling_line import RulingLine
from nightschool.seeds import rng_of
from nightschool.voting import Ballot, Decision, Names, Rule, ballot_of, candidates, decide

# Solutions are drawn by their place, and no longer by their text.
RULES_VERSION = 5

_OWN: Names = {}
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


def ballots(said: Said, terms: Terms, names: Names = _OWN) -> list[Ballot]:
    """Every teacher's own vote, from its samples; None where it abstains."""
    return [_vote(teacher, heard, terms, names) for teacher, heard in said.items()]


def pattern(votes_T: Sequence[Ballot], names: Names = _OWN, *, closed: bool = False) -> Votes:
    """A question's votes as reliability is learned from them.

    Args:
        closed: the values are classes and keep their names (yes, no); else only who agrees with whom counts, so that a
            whole night has few patterns.
    """
    found = sorted(candidates(votes_T, names), key=lambda one: one.ballots[0].teacher)
    called = [one.value if closed else str(place) for place, one in enumerate(found)]
    return tuple(sorted((vote.teacher, name) for name, one in zip(called, found, strict=True) for vote in one.ballots))


def rule(case: Case, terms: Terms) -> tuple[RulingLine, Way | None]:
    """Ruling on one question: by the exact check where it knows the answer, else by votes; and the way that is taught.

    What is taught is a teacher's own words that led to the accepted answer, drawn by seed; if there are none, nothing.
    Whoever has them puts them into the ruling, with the question.
    """
    row_id, said, known, names, _ = case
    own = ballots(said, terms, names)
    cast = own if terms.voters == "teachers" else _samples(said, terms)
    found = decide(cast, terms.rule, names=names)
    undecided = _undecided(found, cast, terms)
    vote = None if undecided else found.value
    voted = {vote, *(ballot.value for ballot in own)}
    rights = {one: _right(one, said, names) if one is not None else None for one in voted}
    vote_right = rights[vote]
    answer, reason = (known.answer, known.reason) if known else (vote, undecided)
    if known and answer and vote_right is False and terms.minority == "reject":
        answer, reason = None, "against_truth"
    way = _way(case, answer, terms.seed) if answer is not None else None
    if answer and way is None:
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
        **_marks(said, own, rights),
    )
    return ruling, way


def _samples(said: Said, terms: Terms) -> list[Ballot]:
    unsaid = 1.0 if terms.confidence == "votes" else 0.0
    return [
        Ballot(teacher, value, unsaid if sure is None else sure)
        for teacher, heard in said.items()
        for value, sure in zip(heard.values, heard.sure, strict=True)
    ]


def _vote(teacher: str, heard: Heard, terms: Terms, names: Names) -> Ballot:
    """A teacher's one vote: the answer that most of its samples give, if enough of them do.

    One that comes without the confidence that was asked for weighs nothing wherever confidence is weighed.
    """
    own = ballot_of(teacher, heard.values, names)
    if own.value is None or own.confidence < terms.consensus:
        return Ballot(teacher, None, 0.0)
    if terms.confidence == "votes":
        return own
    name = names.get(own.value, own.value)
    cast = ((value, sure) for value, sure in zip(heard.values, heard.sure, strict=True) if value is not None)
    return Ballot(teacher, own.value, fmean(sure or 0.0 for value, sure in cast if names.get(value, value) == name))


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


def _right(vote: str, said: Said, names: Names) -> bool | None:
    """Whether an answer is right, by what is known of the values that mean it: one may be judged and another not."""
    name = names.get(vote, vote)
    meant = {value for value, one in names.items() if one == name}
    if name not in names:
        meant.add(name)
    marks = {
        right
        for heard in said.values()
        for value, right in zip(heard.values, heard.rights, strict=True)
        if value in meant and right is not None
    }
    return True in marks if len(marks) == 1 else None


def _way(case: Case, answer: str, seed: int) -> Way | None:
    """What was written on the way to the answer, or where that lies; drawn from all such ways, each once."""
    name = case.names.get(answer, answer)

    def leads(value: str | None, right: bool | None) -> bool:
        return value is not None and (right is True if case.known else case.names.get(value, value) == name)

    if isinstance(case.drawn, tuple):
        teacher, place = case.drawn
        if leads(case.said[teacher].values[place], case.said[teacher].rights[place]):
            return case.drawn
    ways: set[Way] = set()
    for teacher, (values, rights, _, texts) in case.said.items():
        places = [place for place, one in enumerate(zip(values, rights, strict=True)) if leads(*one)]
        ways.update([(teacher, place) for place in places] if texts is None else [texts[place] for place in places])
    return rng_of("reasoning", seed, case.id).choice(sorted(ways)) if ways else None


def _marks(said: Said, own: Sequence[Ballot], rights: Mapping[str | None, bool | None]) -> dict[str, Any]:
    """By teacher: whether its vote is right, samples that were judged, those that were right, and what came of both."""
    judged: dict[str, int] = {}
    right: dict[str, int] = {}
    results: dict[str, Results] = {}
    for teacher, (values, marks, _, _) in said.items():
        if count := len(marks) - marks.count(None):
            judged[teacher], right[teacher] = count, marks.count(True)
            given = marks
            if None in values:
                given = [mark for value, mark in zip(values, marks, strict=True) if value is not None]
            if found := results_of(True in given, False in given):
                results[teacher] = found
    return {
        "votes_right": {one.teacher: told for one in own if (told := rights[one.value]) is not None},
        "judged": judged,
        "right": right,
        "results": results,
        "agreed": agreed(results.values()),
    }
