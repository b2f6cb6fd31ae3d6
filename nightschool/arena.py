"""From challenges, votes and answers to who takes each point of a match."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Literal, NamedTuple

from nightschool.records import Challenge
from nightschool.voting import Ballot, Rule, decide

RULES_VERSION = 1


class Fate(NamedTuple):
    """What a challenge is worth: a valid one has its truth, any other the reason. What is void counts for nobody."""

    kind: Literal["valid", "invalid", "void"]
    truth: str | None = None
    reason: str = ""


def fate(challenge: Challenge, votes: Mapping[str, str | None], *, quorum: int, min_agreement: float) -> Fate:
    """Rule on one challenge: by the solver where it could read it, else by the votes of those who do not play.

    Votes that cannot tell (too few, a tie, too little agreement) make it void, and never valid or invalid.

    Args:
        votes: each voter's letter; None is an abstention.
        quorum: least number of cast votes.
        min_agreement: least share of them for the leading letter.

    Source: plan 000's self-play scored by the question agent's own key; plan 001, "wrong answer = 0 points".
    """
    question = challenge.question
    if challenge.flaw is not None or question is None:
        return Fate("invalid", reason=challenge.flaw or "no_question")
    if question.truth is not None:
        return Fate("valid", truth=question.truth)
    cast = [Ballot(name, letter) for name, letter in votes.items() if letter is not None]
    if len(cast) < quorum:
        return Fate("void", reason="too_few_votes")
    ruled = decide(cast, Rule())
    if ruled.value is None or ruled.agreement < min_agreement:
        return Fate("void", reason=ruled.reason or "low_agreement")
    return Fate("valid", truth=ruled.value) if ruled.value == question.key else Fate("invalid", reason="wrong_key")


def taken(found: Fate, letter: str | None, *, answered: bool) -> float:
    """Whose point a challenge is: 1 its author's, 0 the answerer's, nan nobody's.

    The author takes it where the answer is wrong or cannot be read, the answerer where it is right, and where the
    question is invalid: what is asked of nobody is no way to win.

    Args:
        answered: whether there is a reply at all; without one the world failed, and not the answerer.

    Source: plan 001, "Your Score = (Opponent's failed answers) + (Your correct answers)".
    """
    if found.kind == "invalid":
        return 0.0
    if found.kind == "void" or not answered:
        return nan
    return 0.0 if letter == found.truth else 1.0
