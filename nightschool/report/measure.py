"""From measured rows and rulings to the figures of stages, latency and committee, each with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.records import Measured, Ruling
from nightschool.report.proof import Committee, Estimate, Gain, Latency, Stage, Teacher
from nightschool.statistics import bootstrap_mean, clustered_share, paired_bootstrap, quantiles, sign_flip_exact

_SEED = 0


def measure_stage(
    name: str,
    rows: Sequence[Measured],
    *,
    earlier: Mapping[str, Sequence[Measured]] | None = None,
    over: str | None = None,
    timed_s: Sequence[float] = (),
) -> Stage:
    """One stage on the held-out questions, compared on the same (question, seed) pairs with the stages before it.

    Args:
        rows: every answer; an unreadable answer counts as wrong, a question that the world kept from being answered
            under every seed is left out.
        earlier: the stages before, in order of training; `base` among them gives gain_over_base.
        over: the one that it began with, which `gain` is over if it was measured; else that is the one before.
        timed_s: seconds per answer, one after the other.

    Raises:
        ValueError: no rows.
    """
    before = {stage: others for stage, others in (earlier or {}).items() if stage != name}
    valid, valid_low, valid_high = clustered_share(_grid(rows, [row.value is not None for row in rows]))
    topics = sorted({row.topic for row in rows})
    last = over if over in before else next(reversed(before), None)
    return Stage(
        name=name,
        accuracy=accuracy(rows),
        valid_share=valid,
        valid_low=valid_low,
        valid_high=valid_high,
        per_topic={topic: accuracy([row for row in rows if row.topic == topic]) for topic in topics},
        gain=compare(last, before[last], rows) if last else None,
        gain_over_base=compare("base", before["base"], rows) if "base" in before else None,
        gains=tuple(
            found
            for other, others in before.items()
            if other not in ("base", last) and (found := compare(other, others, rows))
        ),
        latency=measure_latency(timed_s) if len(timed_s) else None,
    )


def compare(over: str, before: Sequence[Measured], after: Sequence[Measured]) -> Gain | None:
    """The difference of two stages on the pairs of question and seed that both answered; None if there are none."""
    common = {row.id for row in before} & {row.id for row in after}
    if not common:
        return None
    sides = [sorted((row for row in rows if row.id in common), key=lambda row: row.id) for rows in (before, after)]
    before_Q_S, after_Q_S = (_grid(rows, [row.right for row in rows]) for rows in sides)
    return _gain(over, before_Q_S, after_Q_S)


def measure_latency(seconds_N: Sequence[float]) -> Latency:
    """Mean with its bootstrap interval, and quantiles, of answers timed one after the other.

    Raises:
        ValueError: no times.
    """
    mean, low, high = bootstrap_mean(seconds_N, seed=_SEED)
    p50, p95, p99 = quantiles(seconds_N)
    return Latency(
        n=len(seconds_N),
        mean_s=mean,
        mean_low_s=low,
        mean_high_s=high,
        p50_s=p50,
        p95_s=p95,
        p99_s=p99,
        max_s=max(seconds_N),
    )


def measure_committee(rulings: Sequence[Ruling], *, teachers: Sequence[str], verifier: str) -> Committee | None:
    """Labels of the committee against each teacher's on the same rows; None when no accepted row has a solver's truth.

    Args:
        rulings: every question that was asked, accepted or dropped.
        teachers: their names, in recipe order; the first of two equals is the better one.
        verifier: what outranks the votes, as the recipe names it.
    """
    judged = [ruling for ruling in rulings if ruling.question.truth is not None]
    accepted = [ruling for ruling in judged if ruling.answer is not None]
    decided = [ruling for ruling in judged if ruling.vote is not None]
    if not accepted or not teachers:
        return None
    ruled = _against_teachers(accepted, [ruling.answer for ruling in accepted], teachers)
    vote = _against_teachers(decided, [ruling.vote for ruling in decided], teachers) if decided else None
    return Committee(
        asked=len(rulings),
        rows=len(accepted),
        accuracy=ruled.own.value,
        low=ruled.own.low,
        high=ruled.own.high,
        best_teacher=ruled.best,
        best_teacher_accuracy=ruled.teachers[ruled.best].value,
        gain=ruled.gain,
        verifier=verifier,
        vote_rows=len(decided),
        vote_accuracy=vote.own.value if vote else None,
        vote_low=vote.own.low if vote else None,
        vote_high=vote.own.high if vote else None,
        vote_best_teacher=vote.best if vote else None,
        vote_best_teacher_accuracy=vote.teachers[vote.best].value if vote else None,
        vote_gain=vote.gain if vote else None,
        teachers=tuple(_teacher(name, rulings, accepted, ruled, vote) for name in teachers),
    )


@dataclass(frozen=True, slots=True)
class _Against:
    """A labelling beside every teacher's own on the same rows, and its gain over the best of them."""

    own: Estimate
    teachers: dict[str, Estimate]
    gain: Gain
    best: str


def _against_teachers(rows: Sequence[Ruling], labels: Sequence[str | None], teachers: Sequence[str]) -> _Against:
    own = np.array([label == row.question.truth for label, row in zip(labels, rows, strict=True)], dtype=float)
    alone = {name: _right_votes(rows, name) for name in teachers}
    best = max(teachers, key=lambda name: float(alone[name].mean()))
    return _Against(
        own=_estimate(own),
        teachers={name: _estimate(right) for name, right in alone.items()},
        gain=_gain(best, alone[best], own),
        best=best,
    )


def _teacher(
    name: str, asked: Sequence[Ruling], accepted: Sequence[Ruling], ruled: _Against, vote: _Against | None
) -> Teacher:
    topics = sorted({row.question.topic for row in accepted})
    per_topic = {topic: [row for row in accepted if row.question.topic == topic] for topic in topics}
    return Teacher(
        name=name,
        accuracy=ruled.teachers[name].value,
        low=ruled.teachers[name].low,
        high=ruled.teachers[name].high,
        per_topic={topic: _estimate(_right_votes(rows, name)) for topic, rows in per_topic.items()},
        coverage=sum(ruling.votes.get(name) is not None for ruling in asked) / len(asked),
        on_vote=vote.teachers[name] if vote else None,
    )


def _right_votes(rows: Sequence[Ruling], name: str) -> NDArray[np.float64]:
    return np.array([row.votes.get(name) == row.question.truth for row in rows], dtype=float)


def _grid(rows: Sequence[Measured], values: Sequence[bool]) -> NDArray[np.float64]:
    """Questions x seeds of 0 and 1, both in sorted order; a question that lost a seed to the world is left out.

    Where no question has all seeds (a night that was stopped), the least answered seeds are left out instead.
    """
    places = {(row.question, row.seed): float(value) for row, value in zip(rows, values, strict=True)}
    seeds = [seed for seed, _ in Counter(seed for _, seed in places).most_common()]
    questions: list[str] = []
    while seeds and not questions:
        answered = Counter(question for question, seed in places if seed in seeds)
        questions = sorted(question for question, count in answered.items() if count == len(seeds))
        seeds = sorted(seeds) if questions else seeds[:-1]
    return np.array([[places[question, seed] for seed in seeds] for question in questions], dtype=float)


def accuracy(rows: Sequence[Measured]) -> Estimate:
    """Share of right answers, with an interval that knows that answers to one question are alike."""
    return _estimate(_grid(rows, [row.right for row in rows]))


def _estimate(right_Q_S: NDArray[np.float64]) -> Estimate:
    value, low, high = clustered_share(right_Q_S)
    return Estimate(value=value, low=low, high=high, n=right_Q_S.size)


def _gain(over: str, before_Q_S: NDArray[np.float64], after_Q_S: NDArray[np.float64]) -> Gain:
    value, low, high = paired_bootstrap(before_Q_S, after_Q_S, seed=_SEED)
    return Gain(over=over, value=value, low=low, high=high, p=sign_flip_exact(before_Q_S, after_Q_S))
