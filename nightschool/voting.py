"""From ballots on one question to a decision: seven strategies, ties ruled, equivalent answers as one candidate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from statistics import median
from typing import Literal, NamedTuple

from nightschool.reliability import Reliability
from nightschool.values.numbers import exact

RULES_VERSION = 4

Strategy = Literal[
    "majority", "confidence_weighted", "max_confidence", "median_confidence", "unanimous", "numeric_average",
    "reliability",
]  # fmt: skip
# none: a tie decides nothing; first: the shortest candidate, then the first in the alphabet, whoever voted for it.
Ties = Literal["none", "first"]
# From each value of a question to the one that its answer goes by; a value that is not there is an answer of its own.
Names = Mapping[str, str]
_OWN: Names = {}

_EXACT = 1e-12


class Ballot(NamedTuple):
    """One teacher's vote; no value is an abstention. `confidence` in [0, 1], from samples, logprobs, or as stated."""

    teacher: str
    value: str | None
    confidence: float = 1.0


class Decision(NamedTuple):
    """A value, or the reason why there is none.

    `agreement` is the share of cast ballots for the leading candidate, in [0, 1]; `entropy` of all candidates' shares,
    in bits. Both count heads, whatever the strategy weighs. `confidence` in the value, in [0, 1]: the mean of the
    ballots behind it; for `reliability` how likely it is to be right, if one of the candidates is.
    """

    value: str | None
    agreement: float
    entropy: float
    confidence: float = 0.0
    reason: Literal["no_votes", "tie", "not_unanimous", "not_numbers", "too_far_apart"] | None = None


class Candidate(NamedTuple):
    """Ballots for answers that are the same; `value` is the commonest spelling, the shortest among equals."""

    value: str
    ballots: tuple[Ballot, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """How ballots are counted.

    Args:
        ties: what becomes of a tie.
        fallback: for `unanimous`, how to count when it is not; None decides nothing then.
        tolerance: for `numeric_average`, how far from the median a vote may be, as a share of it.
        reliability: for `reliability`, what was learned of the teachers; one of whom nothing is known counts nothing.
    """

    strategy: Strategy = "majority"
    ties: Ties = "none"
    fallback: Literal["majority", "confidence_weighted"] | None = "majority"
    tolerance: float = 0.01
    reliability: Reliability | None = None


def decide(ballots_T: Sequence[Ballot], rule: Rule, *, names: Names = _OWN) -> Decision:
    """Rule on one question; the order of the ballots never matters.

    Args:
        ballots_T: one per teacher.
        names: which values are one answer, see `named`.

    Source: plan 003, "Ensemble Methods", which left ties and empty votes open (plan-errors, 003).
    """
    found = candidates(ballots_T, names)
    if not found:
        return Decision(None, 0.0, 0.0, reason="no_votes")
    if rule.strategy == "numeric_average":
        return _average(found, rule)
    if rule.strategy == "unanimous" and len(found) > 1 and rule.fallback is None:
        return _decision(found, None, "not_unanimous")
    scores = _beliefs(found, rule) or {one.value: _score(one, rule) for one in found}
    best = max(scores.values())
    leading = found if len(found) == 1 else [
        one for one in found if math.isclose(scores[one.value], best, rel_tol=_EXACT, abs_tol=_EXACT)
    ]  # fmt: skip
    if len(leading) > 1 and rule.ties == "none":
        return _decision(found, None, "tie")
    if rule.strategy == "reliability":
        return _decision(found, leading[0], confidence=best)
    return _decision(found, leading[0], confidence=_mean([ballot.confidence for ballot in leading[0].ballots]))


def candidates(ballots_T: Iterable[Ballot], names: Names = _OWN) -> list[Candidate]:
    """Cast ballots by answer, the shortest value first, then by the alphabet."""
    groups: dict[str, list[Ballot]] = {}
    for ballot in ballots_T:
        if ballot.value is not None:
            groups.setdefault(names.get(ballot.value, ballot.value), []).append(ballot)
    found = [
        Candidate(_spelling([one.value for one in own if one.value is not None]), tuple(sorted(own, key=_by_teacher)))
        for own in groups.values()
    ]
    found.sort(key=_by_value)
    return found


def ballot_of(teacher: str, samples: Sequence[str | None], names: Names = _OWN) -> Ballot:
    """One teacher's vote from its samples: the answer that most of them give, as confident as they agree.

    A tie among them is an abstention; a sample without an answer takes confidence away.
    """
    counts: dict[str, int] = {}
    for value in samples:
        if value is not None:
            name = names.get(value, value) if names else value
            counts[name] = counts.get(name, 0) + 1
    most = max(counts.values(), default=0)
    leading = [name for name, count in counts.items() if count == most]
    if len(leading) != 1:
        return Ballot(teacher, None, 0.0)
    name = leading[0]
    if names:
        name = _spelling([value for value in samples if value is not None and names.get(value, value) == name])
    return Ballot(teacher, name, most / len(samples))


def named(values: Iterable[str], same: Callable[[str, str], bool | None]) -> dict[str, str]:
    """The name of each value's answer: the shortest of those that are the same.

    Equality is taken to be transitive: x = y and y = z make one answer of three, also where x = z was not judged.

    Args:
        same: whether two values are one answer; None (could not judge) keeps them apart.
    """
    groups: list[list[str]] = []
    for value in sorted(set(values), key=_canonical):
        mine = [group for group in groups if any(same(other, value) or same(value, other) for other in group)]
        groups = [group for group in groups if group not in mine]
        groups.append([*(one for group in mine for one in group), value])
    return {value: min(group, key=_canonical) for group in groups for value in group}


def _spelling(values: Sequence[str]) -> str:
    """The commonest, the shortest among equals."""
    if values.count(values[0]) == len(values):
        return values[0]
    return min(set(values), key=lambda one: (-values.count(one), *_canonical(one)))


def _by_teacher(ballot: Ballot) -> tuple[str, float]:
    return ballot.teacher, ballot.confidence


def _by_value(candidate: Candidate) -> tuple[int, str]:
    return _canonical(candidate.value)


def _canonical(value: str) -> tuple[int, str]:
    return len(value), value


def _beliefs(found: Sequence[Candidate], rule: Rule) -> dict[str, float]:
    if rule.strategy != "reliability" or rule.reliability is None:
        return {}
    beliefs = rule.reliability.beliefs((ballot.teacher, one.value) for one in found for ballot in one.ballots)
    return {one.value: beliefs.get(one.value, 0.0) for one in found}


def _score(candidate: Candidate, rule: Rule) -> float:
    strategy = rule.fallback if rule.strategy == "unanimous" else rule.strategy
    if strategy not in ("confidence_weighted", "max_confidence", "median_confidence"):
        return float(len(candidate.ballots))
    confidences = [ballot.confidence for ballot in candidate.ballots]
    if strategy == "confidence_weighted":
        # fsum rounds once, so that no order of teachers can turn a tie.
        return math.fsum(confidences)
    if strategy == "max_confidence":
        return max(confidences)
    return median(confidences)


def _average(found: Sequence[Candidate], rule: Rule) -> Decision:
    """The mean of all numbers near their median, if that is more than half of the votes; exact, in fractions.

    It is spelled as somebody did, if anybody said it.
    """
    cast = [(_number(one.value), ballot.confidence) for one in found for ballot in one.ballots]
    numbers = [number for number, _ in cast if number is not None]
    if not numbers:
        return _decision(found, None, "not_numbers")
    middle = Fraction(median(numbers))
    room = abs(middle) * Fraction(rule.tolerance)
    near = [(number, sure) for number, sure in cast if number is not None and abs(number - middle) <= room]
    if 2 * len(near) <= len(cast):
        return _decision(found, None, "too_far_apart")
    mean = sum((number for number, _ in near), Fraction()) / len(near)
    said = next((one.value for one in found if _number(one.value) == mean), str(mean))
    return Decision(said, len(near) / len(cast), _entropy(_counts(found)), _mean([sure for _, sure in near]))


def _number(value: str) -> Fraction | None:
    """What a value amounts to; Fraction's own parser would fill the memory with 1e999999999."""
    found = exact(value)
    return found if isinstance(found, Fraction) else None


def _decision(
    found: Sequence[Candidate], winner: Candidate | None, reason: Literal["tie", "not_unanimous", "not_numbers",
    "too_far_apart"] | None = None, *, confidence: float = 0.0,
) -> Decision:  # fmt: skip
    counts = _counts(found)
    leading = len(winner.ballots) if winner else max(counts)
    return Decision(winner.value if winner else None, leading / sum(counts), _entropy(counts), confidence, reason)


def _counts(found: Sequence[Candidate]) -> tuple[int, ...]:
    return tuple([len(one.ballots) for one in found])


@lru_cache(maxsize=1 << 12)
def _entropy(counts: tuple[int, ...]) -> float:
    """Of a split of votes, in bits; a night has few different ones."""
    cast = sum(counts)
    return max(0.0, -math.fsum(count / cast * math.log2(count / cast) for count in counts))


def _mean(values: Sequence[float]) -> float:
    """As `statistics.fmean`, in a third of its time: a committee takes one for each question."""
    return math.fsum(values) / len(values)
