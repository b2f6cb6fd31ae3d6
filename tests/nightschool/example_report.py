"""A night with realistic figures, made from rows by the same rules as a real one."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import cache

from nightschool.recipe.learning import Gate
from nightschool.records import LETTERS, Letter, Measured, Question, Ruling
from nightschool.report.figures import (
    Failure,
    Funnel,
    LatencyTimes,
    LossPoint,
    Memory,
    Night,
    Phase,
    Report,
    Requests,
    Sample,
    SampleVote,
    SolverCounts,
    Source,
)
from nightschool.report.measure import measure_committee, measure_stage
from nightschool.report.proof import Committee, Stage
from nightschool.report.verdict import conclude

TOPICS = ("blood_relations", "seating", "series", "syllogisms")
TEACHERS = ("ada", "blaise", "carl")
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
_LEVEL = {"base": 0.0, "sft": 0.21, "dpo": 0.25}


def measured(stage: str, *, questions: int = 420, seeds: int = 4) -> list[Measured]:
    """Answers of a student whose skill grows by stage; every question has a difficulty of its own."""
    rng = random.Random(f"{stage}")
    rows = []
    for number in range(questions):
        topic = TOPICS[number % len(TOPICS)]
        skill = random.Random(number).betavariate(3, 3) + _LEVEL[stage] - 0.02 + 0.05 * (TOPICS.index(topic) - 1.5)
        for seed in range(seeds):
            letter: Letter | None = "A" if rng.random() < skill else "B"
            letter = letter if rng.random() < 0.995 else None
            rows.append(
                Measured(
                    id=f"{topic}-{number:05d}@{seed}",
                    question=f"{topic}-{number:05d}",
                    topic=topic,
                    seed=seed,
                    truth="A",
                    letter=letter,
                    reason=None if letter else "no_json",
                    latency_s=0.2,
                    tokens_out=24,
                    text="",
                )
            )
    return rows


def rulings(n: int = 1200) -> list[Ruling]:
    """Votes of three teachers, each weak on a topic of its own; the solver outranks them."""
    rng = random.Random(7)
    rows = []
    for number in range(n):
        topic, truth = TOPICS[number % 4], LETTERS[rng.randrange(4)]
        votes = {
            name: None
            if rng.random() < 0.02
            else truth
            if rng.random() < (0.72 if place == number % 4 else 0.93)
            else "A"
            for place, name in enumerate(TEACHERS)
        }
        cast = [letter for letter in votes.values() if letter]
        lead = max(sorted(set(cast)), key=cast.count) if cast else None
        vote = lead if lead and cast.count(lead) >= 2 else None
        question = Question(
            id=f"q{number}",
            topic=topic,
            question="Row of 4. First is Leo. Who is second from right?",
            choices=("so Leo", "so Dan", "so Tom", "so Ivy"),
            truth=truth,  # pyright: ignore[reportArgumentType]
            key=truth,  # pyright: ignore[reportArgumentType]
            source="generator" if number % 3 else "ada",
            check="ok",
        )
        rows.append(
            Ruling(
                id=question.id,
                question=question,
                letter=question.truth if number % 11 else None,
                reasoning="row Leo Dan Ivy Tom so Ivy",
                by="solver",
                reason=None if number % 11 else "no_right_answer",
                votes=votes,  # pyright: ignore[reportArgumentType]
                vote=vote,  # pyright: ignore[reportArgumentType]
                agreement=cast.count(lead) / len(cast) if lead else 0.0,
            )
        )
    return rows


@cache
def stages() -> tuple[Stage, ...]:
    rows = {name: measured(name) for name in ("base", "sft", "dpo")}
    earlier: dict[str, list[Measured]] = {}
    found = []
    for name, own in rows.items():
        found.append(measure_stage(name, own, earlier=earlier, timed_s=seconds(name)))
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


def samples() -> tuple[Sample, ...]:
    rows = [
        ("seating",
         "Row of 4. First is Leo. Dan is right of Leo. Tom is right of Ivy. Dan is left of Ivy. "
         "Who is second from right?",
         ("so Leo", "so Tom", "so Ivy", "so Dan"), "C", ("C", "C", "B"), "kept"),
        ("series", "Next in N4 P7 R10 T13?", ("so V16", "so U16", "so V15", "so W16"), "A", ("A", "A", "A"), "kept"),
        ("blood_relations", "Say Bob is father of Ivy. Leo is father of Bob. Leo is what to Ivy?",
         ("so uncle", "so grandfather", "so father", "so brother"), "B", ("B", "C", "B"), "kept"),
        ("syllogisms", "Given Some cats are mice. Some mice are lions. What follows for cats and lions?",
         ("so all", "so no", "so some", "so unclear"), "D", ("C", "C", "D"), "kept"),
        ("seating", "Row of 3. First is Ann. Kim is left of Ann. Who is last?",
         ("so Ann", "so Kim", "so Joy", "so Eve"), None, ("A", None, "B"), "unsolvable"),
    ]  # fmt: skip
    return tuple(
        Sample(
            id=f"{topic[:3]}{number}",
            topic=topic,
            question=question,
            choices=dict(zip(LETTERS, choices, strict=True)),
            votes=tuple(
                SampleVote(teacher=name, answer=vote, reasoning=f"row Leo Dan Ivy Tom so {vote}" if vote else "")
                for name, vote in zip(TEACHERS, votes, strict=True)
            ),
            verdict=verdict,
            answer=answer,
            by="solver",
            agreement=round(2 / 3, 3),
            solver="ok" if answer else "unsolvable",
            truth=answer,
            source="ada" if number % 2 else "generator",
        )
        for number, (topic, question, choices, answer, votes, verdict) in enumerate(rows * 2)
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
        baselines={"guessing": 0.25},
        stages=stages(),
        committee=committee(),
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
        latency=LatencyTimes(seconds=seconds("dpo"), stage="dpo"),
        phases=tuple(Phase(name=n, seconds=s, chunks=c, cached_chunks=k) for n, s, c, k in PHASES),
        requests=Requests(sent=14_220, reused=1_800, retried=12, failed=0, tokens_in=981_240, tokens_out=355_021),
        memory=Memory(before_bytes=410 << 20, serving_bytes=2210 << 20, after_bytes=433 << 20, peak_bytes=3620 << 20),
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
