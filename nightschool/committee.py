"""From the teachers' answers to a ruling on each question: votes, and the solver where there is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nightschool.records import Answer, Cast, Letter, Question, Ruling
from nightschool.seeds import rng_of

RULES_VERSION = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """A letter, or the reason why there is none. `agreement`: share of cast votes for the leading letter, in [0, 1]."""

    letter: str | None
    agreement: float
    reason: str | None


def vote_of(casts: Sequence[Cast]) -> Letter | None:
    """A teacher's one vote: the letter that most of its samples give; a tie among its samples is an abstention."""
    counts: Counter[Letter] = Counter(cast.letter for cast in casts if cast.letter)
    leading = counts.most_common(2)
    if not leading or (len(leading) == 2 and leading[0][1] == leading[1][1]):
        return None
    return leading[0][0]


def decide(votes_T: Sequence[str | None], *, quorum: int, min_agreement: float) -> Verdict:
    """Majority with a quorum.

    An abstention is a missing vote, never a rejection: a teacher whose reply could not be parsed says nothing.

    Args:
        votes_T: one per teacher, in any order; None is an abstention.
        quorum: least number of cast votes.
        min_agreement: least share of cast votes for the winner, in (0, 1].

    Source: plan 001, "Cross-validate answers (committee voting)".
    """
    counts: Counter[str] = Counter(vote for vote in votes_T if vote)
    cast = sum(counts.values())
    if cast < quorum:
        return Verdict(None, 0.0, "no_quorum")
    (winner, most), *rest = counts.most_common()
    agreement = most / cast
    if rest and rest[0][1] == most:
        return Verdict(None, agreement, "tie")
    if agreement < min_agreement:
        return Verdict(None, agreement, "low_agreement")
    return Verdict(winner, agreement, None)


def rule(
    question: Question,
    answers: Mapping[str, Answer],
    *,
    teachers: Sequence[str],
    quorum: int,
    min_agreement: float,
    solver: bool,
    seed: int,
) -> Ruling:
    """Ruling on one question: by the solver where it can judge and is asked to, else by votes.

    The row that is taught carries a teacher's own reasoning that led to the accepted letter, drawn by seed among those
    who gave it; if nobody did, there is nothing to teach from (`no_right_answer`).
    """
    votes: dict[str, str | None] = {
        name: vote_of(answers[name].casts) if name in answers else None for name in teachers
    }
    verdict = decide(list(votes.values()), quorum=quorum, min_agreement=min_agreement)
    # A wrong key may lack the right choice altogether: no letter is true then, and the solver rejects it all the same.
    by_solver = solver and question.check != "malformed"
    letter, reason = (question.truth, None) if by_solver else (verdict.letter, verdict.reason)
    if by_solver and question.check != "ok":
        letter, reason = None, question.check
    reasons = sorted(
        {cast.reasoning for answer in answers.values() for cast in answer.casts if letter and cast.letter == letter}
    )
    if letter and not reasons:
        letter, reason = None, "no_right_answer"
    return Ruling(
        id=question.id,
        question=question,
        verdict="accept" if letter else "reject",
        answer=letter,
        reasoning=rng_of("reasoning", seed, question.id).choice(reasons) if reasons else "",
        by="solver" if by_solver else "votes",
        reason=reason,
        votes=votes,
        vote=verdict.letter,
        agreement=verdict.agreement,
    )
