"""From measured rows and rulings to the figures of stages, latency and committee, each with its interval."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightschool.recipe.ablate import Variant
from nightschool.records import Measured, Ruling
from nightschool.report.ablated import AS_IS, Ablation, Shown
from nightschool.report.by_class import by_class
from nightschool.report.calibration import calibration
from nightschool.report.grid import SEED, accuracy, estimate, gain_over, grid, topics_of
from nightschool.report.guessing import baselines, guess, over_guessing
from nightschool.report.proof import Committee, Estimate, Gain, Teacher
from nightschool.report.stage import Latency, Stage
from nightschool.resampling import bootstrap_mean
from nightschool.statistics import clustered_share, quantiles


def measure_stage(
    name: str,
    rows: Sequence[Measured],
    *,
    earlier: Mapping[str, Sequence[Measured]] | None = None,
    over: str | None = None,
    latency: Latency | None = None,
    closed: bool = True,
    as_ruled: Estimate | None = None,
) -> Stage:
    """One stage on the held-out questions, compared on the same (question, seed) pairs with the stages before it.

    Args:
        rows: every answer; an unreadable one counts as wrong, a question that lost a seed to the world is left out.
        earlier: the stages before, in order of training; `base` among them gives gain_over_base.
        over: the one that it began with, which `gain` is over if it was measured; else that is the one before.
        latency: of its answers one after the other, where it was timed.
        closed: whether answers are a few that come again and again, so that they make classes.
        as_ruled: the share of answers that are the committee's, where it is known.

    Raises:
        ValueError: no rows.
    """
    before = {stage: others for stage, others in (earlier or {}).items() if stage != name}
    valid, valid_low, valid_high = clustered_share(grid(rows, [row.value is not None for row in rows]))
    return Stage(
        name=name,
        accuracy=accuracy(rows),
        valid_share=valid,
        valid_low=valid_low,
        valid_high=valid_high,
        per_topic={topic: accuracy(own) for topic, own in topics_of(rows).items()},
        unread=dict(Counter(row.reason or "unread" for row in rows if row.value is None).most_common()),
        by_class=by_class(rows) if closed else None,
        calibration=calibration(rows),
        as_ruled=as_ruled,
        latency=latency,
        **_gains(before, over, rows),
    )


def _gains(before: Mapping[str, Sequence[Measured]], over: str | None, rows: Sequence[Measured]) -> dict[str, Any]:
    """Over what the stage began with, over the base, over the others, and over guessing."""
    last = over if over is not None and over in before else next(reversed(tuple(before)), None)
    others = [compare(name, found, rows) for name, found in before.items() if name not in ("base", last)]
    return {
        "gain": compare(last, before[last], rows) if last else None,
        "gain_over_base": compare("base", before["base"], rows) if "base" in before else None,
        "gains": tuple(gain for gain in others if gain),
        "over_guessing": over_guessing(rows),
    }


def as_ruled(rows: Sequence[Measured], ruled: Mapping[str, str], same: Callable[[str, str], bool]) -> Estimate | None:
    """The share of answers that are the committee's; an unreadable one is not. None where it ruled on none of them.

    Args:
        ruled: its answer by question.
        same: whether its answer and the student's are one.
    """
    mine = [row for row in rows if row.question in ruled]
    alike = [row.value is not None and same(ruled[row.question], row.value) for row in mine]
    return estimate(grid(mine, alike)) if mine else None


def compare(over: str, before: Sequence[Measured], after: Sequence[Measured]) -> Gain | None:
    """The difference of two stages on the pairs of question and seed that both answered; None if there are none."""
    common = {row.id for row in before} & {row.id for row in after}
    if not common:
        return None
    sides = [sorted((row for row in rows if row.id in common), key=lambda row: row.id) for rows in (before, after)]
    before_Q_S, after_Q_S = (grid(rows, [row.right for row in rows]) for rows in sides)
    return gain_over(over, before_Q_S, after_Q_S)


def measure_ablation(
    stage: str, drafter: str, as_is: Sequence[Measured], found: Mapping[Variant, Sequence[Measured]], *,
    closed: bool = True,
) -> Ablation:  # fmt: skip
    """Every variant against the same questions and seeds with the draft: McNemar's exact test, the effect's interval.

    Raises:
        ValueError: no rows.

    Source: plan 002, whose criterion of 3 points at 229 rows lies within the noise of an unpaired comparison.
    """
    return Ablation(
        stage=stage,
        drafter=drafter,
        as_is=accuracy(as_is),
        shown=tuple(
            Shown(variant=variant, right=accuracy(rows), change=compare(AS_IS, as_is, rows))
            for variant, rows in found.items()
            if rows
        ),
        baselines=baselines(as_is, closed=closed),
    )


def measure_latency(seconds_N: Sequence[float], ttft_N: Sequence[float] = ()) -> Latency:
    """Mean with its bootstrap interval, and quantiles, of answers timed one after the other; p99 to the first token.

    Raises:
        ValueError: no times.
    """
    mean, low, high = bootstrap_mean(seconds_N, seed=SEED)
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
        ttft_p99_s=quantiles(ttft_N, (0.99,))[0] if len(ttft_N) else None,
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
        baselines=guess(Counter(str(row.question.truth) for row in accepted), closed=True),
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
        own=estimate(own),
        teachers={name: estimate(right) for name, right in alone.items()},
        gain=gain_over(best, alone[best], own),
        best=best,
    )


def _teacher(
    name: str, asked: Sequence[Ruling], accepted: Sequence[Ruling], ruled: _Against, vote: _Against | None
) -> Teacher:
    per_topic: dict[str, list[Ruling]] = defaultdict(list)
    for row in accepted:
        per_topic[row.question.topic].append(row)
    return Teacher(
        name=name,
        accuracy=ruled.teachers[name].value,
        low=ruled.teachers[name].low,
        high=ruled.teachers[name].high,
        per_topic={topic: estimate(_right_votes(rows, name)) for topic, rows in sorted(per_topic.items())},
        coverage=sum(ruling.votes.get(name) is not None for ruling in asked) / len(asked),
        on_vote=vote.teachers[name] if vote else None,
    )


def _right_votes(rows: Sequence[Ruling], name: str) -> NDArray[np.float64]:
    return np.array([row.votes.get(name) == row.question.truth for row in rows], dtype=float)
