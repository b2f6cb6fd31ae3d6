"""From all teachers' votes on many questions to how reliable each one is, without knowing the truth."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

RULES_VERSION = 2

_ROUNDS = 100
_CLOSE = 1e-5
# One right and one wrong vote that nobody cast: a teacher with three votes is not certain to be right.
_PRIOR = 1.0
# No text of a model: a value is never without characters.
_UNSAID = ""

# (teacher, value) of everybody who voted on a question.
Votes = tuple[tuple[str, str], ...]


class Reliability(Protocol):
    """What was learned of the teachers: `share` of each one's votes that are right, as far as the votes tell."""

    @property
    def share(self) -> Mapping[str, float]: ...

    def beliefs(self, votes: Iterable[tuple[str, str]]) -> dict[str, float]:
        """P(value) of a question by its votes; they may add up to less than 1, the rest is that nobody is right."""
        ...


@dataclass(frozen=True, slots=True)
class Coins:
    """One number for each teacher: right with its own share, else one of `rivals` wrong answers, all as likely."""

    share: Mapping[str, float]
    rivals: int

    def beliefs(self, votes: Iterable[tuple[str, str]]) -> dict[str, float]:
        cast = [(self.share[who], value) for who, value in votes if who in self.share]
        wrong = [math.log((1 - share) / self.rivals) for share, _ in cast]
        values = sorted({value for _, value in cast})
        both = list(zip(cast, wrong, strict=True))
        logs = {
            value: math.fsum(math.log(share) if said == value else off for (share, said), off in both)
            for value in values
        }
        unsaid = self.rivals + 1 - len(values)
        if unsaid > 0 and values:
            logs[_UNSAID] = math.log(unsaid) + math.fsum(wrong)
        beliefs = _softmax(logs)
        return {value: beliefs[value] for value in values}


@dataclass(frozen=True, slots=True)
class Tables:
    """A table for each teacher, P(said | true), and each class's share of the truth."""

    prior: Mapping[str, float]
    tables: Mapping[str, Mapping[str, Mapping[str, float]]]

    @property
    def share(self) -> Mapping[str, float]:
        return {
            who: math.fsum(self.prior[true] * table[true][true] for true in self.prior)
            for who, table in self.tables.items()
        }

    def beliefs(self, votes: Iterable[tuple[str, str]]) -> dict[str, float]:
        cast = [(self.tables[who], said) for who, said in votes if who in self.tables]
        return _softmax({
            true: math.log(share) + math.fsum(math.log(table[true][said]) for table, said in cast)
            for true, share in self.prior.items()
        })  # fmt: skip


def one_coin(times: Mapping[Votes, int], *, rivals: int = 3) -> Coins:
    """Expectation-maximisation with one number for each teacher; for open answers too.

    The truth may be an answer that nobody gave. Starts from the shares of votes, so a majority that is wrong on most
    questions is believed.

    Args:
        times: how often each pattern of votes was cast; teachers who abstained are left out.
        rivals: wrong answers that a question has as a rule: 1 for yes and no, 3 for four letters.

    Source: Dawid & Skene 1979, Applied Statistics 28:20, with a symmetric error matrix (Raykar et al. 2010); its
    beliefs weigh independent voters as in Nitzan & Paroush 1982, International Economic Review 23:289.
    """
    teachers = sorted({who for votes in times for who, _ in votes})
    beliefs = {votes: _shares(votes, sorted({value for _, value in votes})) for votes in times}
    found = Coins(dict.fromkeys(teachers, 0.0), rivals)
    for _ in range(_ROUNDS):
        before = found
        found = Coins(_right(teachers, times, beliefs), rivals)
        beliefs = {votes: found.beliefs(votes) for votes in times}
        if _settled(before, found):
            break
    return found


def dawid_skene(times: Mapping[Votes, int], classes: Sequence[str]) -> Tables:
    """Expectation-maximisation with a table for each teacher: how often it says one class where another is true.

    For closed classes (letters, yes and no): it knows of a teacher who says No too readily.

    Args:
        times: how often each pattern of votes was cast; teachers who abstained are left out.

    Source: Dawid & Skene 1979, Applied Statistics 28:20; plan 002's teacher said No to 1,227 of 1,603 questions.
    """
    teachers = sorted({who for votes in times for who, _ in votes})
    beliefs = {votes: _shares(votes, classes) for votes in times}
    found = Tables(dict.fromkeys(classes, 0.0), {})
    for _ in range(_ROUNDS):
        before = found
        prior = {one: _PRIOR + math.fsum(n * beliefs[votes][one] for votes, n in times.items()) for one in classes}
        found = Tables(_normal(prior), {who: _table(who, times, beliefs, classes) for who in teachers})
        beliefs = {votes: found.beliefs(votes) for votes in times}
        if _settled(before, found):
            break
    return found


def _settled(before: Reliability, after: Reliability) -> bool:
    was, now = before.share, after.share
    return max((abs(share - was.get(who, 0.0)) for who, share in now.items()), default=0.0) < _CLOSE


def _shares(votes: Votes, values: Sequence[str]) -> dict[str, float]:
    """The first belief: each value as likely as its share of the votes, all alike if there are none."""
    counts = {value: sum(said == value for _, said in votes) for value in values}
    return _normal({value: float(count or not votes) for value, count in counts.items()}) if values else {}


def _right(
    teachers: Sequence[str], times: Mapping[Votes, int], beliefs: Mapping[Votes, Mapping[str, float]]
) -> dict[str, float]:
    hits: dict[str, list[float]] = {who: [_PRIOR] for who in teachers}
    cast: dict[str, int] = dict.fromkeys(teachers, 0)
    for votes, n in times.items():
        for who, value in votes:
            hits[who].append(n * beliefs[votes][value])
            cast[who] += n
    return {who: math.fsum(hits[who]) / (cast[who] + 2 * _PRIOR) for who in teachers}


def _table(
    teacher: str, times: Mapping[Votes, int], beliefs: Mapping[Votes, Mapping[str, float]], classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """P(said | true) of one teacher."""
    weights: dict[tuple[str, str], list[float]] = defaultdict(lambda: [_PRIOR])
    for votes, n in times.items():
        for who, said in votes:
            if who == teacher:
                for true in classes:
                    weights[true, said].append(n * beliefs[votes][true])
    return {true: _normal({said: math.fsum(weights[true, said]) for said in classes}) for true in classes}


def _normal(weights: Mapping[str, float]) -> dict[str, float]:
    whole = math.fsum(weights.values())
    return {name: weight / whole for name, weight in weights.items()}


def _softmax(logs: Mapping[str, float]) -> dict[str, float]:
    most = max(logs.values(), default=0.0)
    return _normal({name: math.exp(log - most) for name, log in logs.items()}) if logs else {}
