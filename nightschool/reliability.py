"""From all teachers' votes on many questions to how reliable each one is, without knowing the truth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RULES_VERSION = 1

_ROUNDS = 100
_CLOSE = 1e-5
# One right and one wrong vote that nobody cast: a teacher with three votes is not certain to be right.
_PRIOR = 1.0
# No text of a model: a value is never without characters.
_UNSAID = ""


@dataclass(frozen=True, slots=True)
class Reliability:
    """`share` of each teacher's votes that are right, as far as the votes tell; `beliefs_Q`: P(value) by question.

    Beliefs in the values of a question may add up to less than 1: the rest is that nobody is right.
    """

    share: dict[str, float]
    beliefs_Q: list[dict[str, float]]


def one_coin(votes_Q: Sequence[Mapping[str, str]], *, rivals: int = 3) -> Reliability:
    """Expectation-maximisation with one number for each teacher; for open answers too.

    A teacher is right with its own probability p, else gives one of `rivals` wrong answers with (1-p)/rivals each; the
    truth may be an answer that nobody gave. Starts from the shares of votes, so a majority that is wrong on most
    questions is believed.

    Args:
        votes_Q: for each question, teacher to value; teachers who abstained are left out.
        rivals: wrong answers that a question has as a rule: 1 for yes and no, 3 for four letters.

    Source: Dawid & Skene 1979, Applied Statistics 28:20, with a symmetric error matrix (Raykar et al. 2010).
    """
    teachers = sorted({teacher for votes in votes_Q for teacher in votes})
    values_Q = [sorted(set(votes.values())) for votes in votes_Q]
    beliefs_Q = [_shares(votes, values) for votes, values in zip(votes_Q, values_Q, strict=True)]
    share = dict.fromkeys(teachers, 0.0)
    for _ in range(_ROUNDS):
        before = share
        share = {teacher: _share(teacher, votes_Q, beliefs_Q) for teacher in teachers}
        beliefs_Q = [_belief(votes, values, share, rivals) for votes, values in zip(votes_Q, values_Q, strict=True)]
        if max((abs(share[one] - before[one]) for one in teachers), default=0.0) < _CLOSE:
            break
    return Reliability(share, beliefs_Q)


def dawid_skene(votes_Q: Sequence[Mapping[str, str]], classes: Sequence[str]) -> Reliability:
    """Expectation-maximisation with a table for each teacher: how often it says one class where another is true.

    For closed classes (letters, yes and no): it knows of a teacher who says No too readily. `share` is the weight of
    each table's diagonal under the classes' own shares.

    Args:
        votes_Q: for each question, teacher to class; teachers who abstained are left out.

    Source: Dawid & Skene 1979, Applied Statistics 28:20; plan 002's teacher said No to 1,227 of 1,603 questions.
    """
    teachers = sorted({teacher for votes in votes_Q for teacher in votes})
    beliefs_Q = [_shares(votes, classes) for votes in votes_Q]
    share = dict.fromkeys(teachers, 0.0)
    for _ in range(_ROUNDS):
        before = share
        prior = _normal({one: _PRIOR + math.fsum(belief[one] for belief in beliefs_Q) for one in classes})
        tables = {teacher: _table(teacher, votes_Q, beliefs_Q, classes) for teacher in teachers}
        share = {teacher: math.fsum(prior[one] * tables[teacher][one][one] for one in classes) for teacher in teachers}
        beliefs_Q = [_by_table(votes, prior, tables) for votes in votes_Q]
        if max((abs(share[one] - before[one]) for one in teachers), default=0.0) < _CLOSE:
            break
    return Reliability(share, beliefs_Q)


def _shares(votes: Mapping[str, str], values: Sequence[str]) -> dict[str, float]:
    """The first belief: each value as likely as its share of the votes, all alike if there are none."""
    counts = {value: sum(vote == value for vote in votes.values()) for value in values}
    return _normal({value: float(count or not votes) for value, count in counts.items()}) if values else {}


def _share(teacher: str, votes_Q: Sequence[Mapping[str, str]], beliefs_Q: Sequence[Mapping[str, float]]) -> float:
    hits = [belief[votes[teacher]] for votes, belief in zip(votes_Q, beliefs_Q, strict=True) if teacher in votes]
    return (math.fsum(hits) + _PRIOR) / (len(hits) + 2 * _PRIOR)


def _belief(
    votes: Mapping[str, str], values: Sequence[str], share: Mapping[str, float], rivals: int
) -> dict[str, float]:
    wrong = {who: math.log((1 - share[who]) / rivals) for who in votes}
    logs = {
        value: math.fsum(math.log(share[who]) if said == value else wrong[who] for who, said in votes.items())
        for value in values
    }
    unsaid = rivals + 1 - len(values)
    if unsaid > 0 and values:
        logs[_UNSAID] = math.log(unsaid) + math.fsum(wrong.values())
    beliefs = _softmax(logs)
    return {value: beliefs[value] for value in values}


def _by_table(
    votes: Mapping[str, str], prior: Mapping[str, float], tables: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> dict[str, float]:
    return _softmax({
        true: math.log(prior[true]) + math.fsum(math.log(tables[who][true][said]) for who, said in votes.items())
        for true in prior
    })  # fmt: skip


def _table(
    teacher: str, votes_Q: Sequence[Mapping[str, str]], beliefs_Q: Sequence[Mapping[str, float]], classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """P(said | true) of one teacher."""
    said_by = [(votes[teacher], belief) for votes, belief in zip(votes_Q, beliefs_Q, strict=True) if teacher in votes]
    return {
        true: _normal({
            one: _PRIOR + math.fsum(belief[true] for said, belief in said_by if said == one) for one in classes
        })
        for true in classes
    }  # fmt: skip


def _normal(weights: Mapping[str, float]) -> dict[str, float]:
    whole = math.fsum(weights.values())
    return {name: weight / whole for name, weight in weights.items()}


def _softmax(logs: Mapping[str, float]) -> dict[str, float]:
    most = max(logs.values(), default=0.0)
    return _normal({name: math.exp(log - most) for name, log in logs.items()}) if logs else {}
