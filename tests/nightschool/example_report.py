"""A night with realistic figures, made from rows by the same rules as a real one."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import cache

from nightschool.recipe.gate import Gate
from nightschool.records import Measured
from nightschool.report.asked import SolverCounts, Source
from nightschool.report.evaluated import Evaluated, Look
from nightschool.report.figures import (
    DeviceMemory,
    Failure,
    Funnel,
    LatencyTimes,
    LossPoint,
    Memory,
    Night,
    Phase,
    Report,
    Requests,
)
from nightschool.report.guessing import baselines, by_topic
from nightschool.report.lessons import Lesson, Shortcut
from nightschool.report.measure import measure_committee, measure_latency, measure_stage
from nightschool.report.proof import Committee, Votes
from nightschool.report.stage import Contamination, Stage
from nightschool.report.verdict import conclude
from nightschool.report.votes import measure_votes
from nightschool.sitting import sit
from nightschool.training.record import Prompts
from tests.nightschool.example_rows import TEACHERS, TOPICS, measured, rulings, samples

GATES = (
    Gate(name="sft-gain", metric="accuracy_gain", stage="sft", over="base", at_least=0.15, by="interval"),
    Gate(name="dpo-gain", metric="accuracy_gain", stage="dpo", over="sft", at_least=0.0, by="interval"),
    Gate(name="format", metric="valid_share", stage="dpo", at_least=0.95),
    Gate(name="fast-enough", metric="latency_mean_s", stage="dpo", at_most=0.5, by="interval"),
    Gate(name="no-slow-tail", metric="latency_p99_s", stage="dpo", at_most=0.6),
    Gate(name="committee-helps", metric="committee_gain", at_least=0.0, by="interval"),
)
PHASES = (
    ("serve", 9.4, 3, 0),
    ("questions", 41.2, 12, 0),
    ("pool", 2.1, 1, 0),
    ("answers", 74.9, 27, 9),
    ("committee", 0.9, 9, 0),
    ("balance", 0.1, 1, 0),
    ("sft", 118.3, 1, 0),
    ("pairs", 46.0, 7, 0),
    ("dpo", 61.7, 1, 0),
    ("validate", 71.5, 24, 0),
    ("report", 3.0, 1, 0),
)

LESSONS = (
    Lesson(stage="sft", trained=1040, prompts=Prompts(rows=1043, compared=1043, too_long=3, dropped=3)),
    Lesson(stage="dpo", trained=412, prompts=Prompts(rows=412, compared=412)),
)
SHORTCUTS = (Shortcut(stage="dpo", rule="longer", decides=390, wins=211, low=0.49, high=0.59, warns=False),)


@cache
def stages() -> tuple[Stage, ...]:
    rows = {name: measured(name) for name in ("base", "sft", "dpo")}
    earlier: dict[str, list[Measured]] = {}
    found = []
    for name, own in rows.items():
        found.append(measure_stage(name, own, earlier=earlier, latency=measure_latency(seconds(name))))
        earlier[name] = own
    return tuple(found)


def seconds(stage: str) -> tuple[float, ...]:
    rng = random.Random(f"time {stage}")
    return tuple(round(0.11 + rng.gammavariate(6, 0.018), 4) for _ in range(160))


@cache
def committee() -> Committee:
    found = measure_committee(rulings(), teachers=TEACHERS, verifier="solver")
    assert found is not None
    return found


@cache
def votes() -> Votes:
    found = measure_votes(
        sit(rulings()), strategy="reliability", voters="teachers", quorum=2, min_agreement=0.6,
        learned=dict(zip(TEACHERS, (0.88, 0.9, 0.86), strict=True)),
    )  # fmt: skip
    assert found is not None
    return found


def losses() -> dict[str, tuple[LossPoint, ...]]:
    rng = random.Random(3)
    sft = [
        LossPoint(step=s, loss=0.31 + 1.9 * 0.97**s + rng.gauss(0, 0.02), learning_rate=2e-3, grad_norm=0.8)
        for s in range(5, 180, 5)
    ]
    dpo = [
        LossPoint(step=s, loss=0.693 - 0.0016 * s + rng.gauss(0, 0.008), reward_margin=0.01 * s, reward_accuracy=0.7)
        for s in range(2, 80, 2)
    ]
    return {"sft": tuple(sft), "dpo": tuple(dpo)}


def evaluated() -> Evaluated:
    looks = [
        Look(step=s, loss=0.693 - 0.0016 * min(s, 48) + 0.0009 * max(0, s - 48), reward_accuracy=0.6 + s / 400)
        for s in range(8, 79, 8)
    ]
    return Evaluated(rows=57, metric="loss", looks=tuple(looks), chosen=48, last=78, best=True)


def funnel() -> tuple[Funnel, ...]:
    steps = [
        ("written", 2400, {}),
        ("valid", 1320, {"malformed": 618, "wrong_key": 204, "unsolvable": 171, "duplicate": 61, "held_out": 26}),
        ("asked", 1800, {}),
        ("agreed", 1509, {"no_right_answer": 171, "wrong_key": 84, "unsolvable": 36}),
        ("balanced", 1344, {"over_represented": 165}),
        ("trained", 1344, {}),
    ]
    shares = (0.24, 0.21, 0.29, 0.26)
    return tuple(
        Funnel(
            step=step,
            total=total,
            per_topic={topic: round(total * share) for topic, share in zip(TOPICS, shares, strict=True)},
            dropped=dropped,
        )
        for step, total, dropped in steps
    )


def night(**changes: object) -> Night:
    started = datetime(2026, 11, 21, 1, 5, 12, tzinfo=UTC)
    return Night(
        name="quickstart",
        recipe="configs/quickstart.yaml",
        description="Three tiny teachers, one student, four topics, on a CPU.",
        command="nightschool run configs/quickstart.yaml",
        started=started,
        finished=started + timedelta(seconds=431),
        engine="transformers (embedded)",
        student="runs/dpo/5d1c0f9ab2e47710/adapter",
        versions={
            "nightschool": "0.1.0",
            "python": "3.11.9",
            "torch": "2.13.0",
            "transformers": "5.19.0",
            "trl": "1.16.0",
        },
        machine={"cpu": "2 cores", "memory": "23.4 GiB", "gpu": "none", "system": "Linux 6.8"},
        keys={
            "questions": "0b1e55d4a1c2f3e4",
            "answers": "77aa1b2c3d4e5f60",
            "sft": "9c8b7a6d5e4f3a2b",
            "dpo": "5d1c0f9ab2e47710",
        },
    ).model_copy(update=changes)


def unjudged() -> Report:
    return Report(
        night=night(),
        lessons=LESSONS,
        shortcuts=SHORTCUTS,
        baselines=baselines(measured("dpo"), closed=True),
        topic_baselines=by_topic(measured("dpo"), closed=True),
        contamination=Contamination(held_out=420, taught=1344, same=0, near=3, threshold=0.8),
        stages=stages(),
        committee=committee(),
        votes=votes(),
        funnel=funnel(),
        question_sources={
            "blood_relations": Source(teacher=402, generator=48),
            "seating": Source(teacher=251, generator=199),
            "series": Source(teacher=450, generator=0),
            "syllogisms": Source(teacher=217, generator=233),
        },
        solver={
            "ada": SolverCounts(ok=512, wrong_key=61, unsolvable=40, malformed=187),
            "blaise": SolverCounts(ok=467, wrong_key=72, unsolvable=58, malformed=203),
            "carl": SolverCounts(ok=428, wrong_key=71, unsolvable=73, malformed=228),
        },
        losses=losses(),
        evaluated={"dpo": evaluated()},
        latency=LatencyTimes(seconds=seconds("dpo"), stage="dpo"),
        phases=tuple(Phase(name=n, seconds=s, chunks=c, cached_chunks=k) for n, s, c, k in PHASES),
        requests=Requests(
            sent=14_220, reused=1_800, retried=12, failed=0, tokens_in=981_240, tokens_out=355_021, spent={"gpt": 3.5}
        ),
        memory=Memory(
            before_bytes=410 << 20,
            serving_bytes=2210 << 20,
            after_bytes=433 << 20,
            peak_bytes=3620 << 20,
            devices=(DeviceMemory(name="0: NVIDIA H200", before_bytes=0, serving_bytes=120 << 30, after_bytes=0),),
        ),
        restarts=("alba-0 (vllm) ended with exit code 137 at 23:10; started again, log alba-0.log",),
        samples=samples(),
    )


def example() -> Report:
    """A night that went well."""
    return conclude(unjudged(), GATES)


def stopped() -> Report:
    """A night that ended in answers: no stage, no training, one chunk to redo."""
    whole = unjudged()
    return conclude(
        Report(
            night=night(finished=None, stopped_in="answers"),
            funnel=whole.funnel[:2],
            question_sources={},
            solver=whole.solver,
            phases=(
                *whole.phases[:3],
                Phase(name="answers", seconds=31.0, chunks=27, cached_chunks=9, failed_chunks=1),
            ),
            requests=whole.requests,
            failures=(
                Failure(
                    phase="answers",
                    chunk=17,
                    error="WorldError: ada at 127.0.0.1:8101 did not answer: connection refused (5 attempts)",
                    command="nightschool rerun quickstart --phase answers --chunk 17",
                ),
            ),
        ),
        GATES,
    )
