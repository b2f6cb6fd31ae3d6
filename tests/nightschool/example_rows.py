"""Rows of a made-up night: a student that learns, three teachers with a weak topic each."""

from __future__ import annotations

import random
from collections.abc import Sequence

from nightschool.records import LETTERS, Measured, Question, Ruling
from nightschool.report.sample_rows import Sample, SampleVote

TOPICS = ("blood_relations", "seating", "series", "syllogisms")
TEACHERS = ("ada", "blaise", "carl")
_LEVEL = {"base": 0.0, "sft": 0.21, "dpo": 0.25}


def measured(stage: str, *, questions: int = 420, seeds: int = 4) -> list[Measured]:
    """Answers of a student whose skill grows by stage; every question has a difficulty of its own."""
    rng = random.Random(f"{stage}")
    rows = []
    for number in range(questions):
        topic = TOPICS[number % len(TOPICS)]
        truth, other = LETTERS[number // 4 % 4], LETTERS[(number // 4 + 1) % 4]
        skill = random.Random(number).betavariate(3, 3) + _LEVEL[stage] - 0.02 + 0.05 * (TOPICS.index(topic) - 1.5)
        for seed in range(seeds):
            letter: str | None = truth if rng.random() < skill else other
            letter = letter if rng.random() < 0.995 else None
            rows.append(
                Measured(
                    id=f"{topic}-{number:05d}@{seed}",
                    question=f"{topic}-{number:05d}",
                    topic=topic,
                    seed=seed,
                    truth=truth,
                    value=letter,
                    right=letter == truth,
                    reason=None if letter else "no_json",
                    latency_s=0.2,
                    tokens_out=24,
                    text="",
                )
            )
    return rows


def answered(rows: Sequence[tuple[str | None, ...]]) -> list[Measured]:
    """A question for each row: its truth, then what was answered under seeds 0, 1, ..."""
    return [
        Measured(
            id=f"q{place}@{seed}", question=f"q{place}", topic="t", seed=seed, truth=str(truth), value=value,
            right=value == truth, reason=None if value else "no_answer", latency_s=0.1, tokens_out=3, text="",
        )
        for place, (truth, *values) in enumerate(rows)
        for seed, value in enumerate(values)
    ]  # fmt: skip


def rulings(n: int = 1200) -> list[Ruling]:
    """Votes of three teachers, each weak on a topic of its own; the solver outranks them."""
    rng = random.Random(7)
    return [_ruling(number, rng) for number in range(n)]


def _ruling(number: int, rng: random.Random) -> Ruling:
    truth = LETTERS[rng.randrange(4)]
    strength = {name: 0.72 if place == number % 4 else 0.93 for place, name in enumerate(TEACHERS)}
    votes = {
        name: None if rng.random() < 0.02 else truth if rng.random() < share else "A"
        for name, share in strength.items()
    }
    cast = [letter for letter in votes.values() if letter]
    lead = max(sorted(set(cast)), key=cast.count) if cast else None
    vote = lead if lead and cast.count(lead) >= 2 else None
    question = Question(
        id=f"q{number}",
        topic=TOPICS[number % 4],
        question="Row of 4. First is Leo. Who is second from right?",
        choices=("so Leo", "so Dan", "so Tom", "so Ivy"),
        truth=truth,  # pyright: ignore[reportArgumentType]
        key=truth,  # pyright: ignore[reportArgumentType]
        source="generator" if number % 3 else "ada",
        check="ok",
    )
    return Ruling(
        id=question.id,
        question=question,
        verdict="accept" if number % 11 else "reject",
        answer=question.truth if number % 11 else None,
        reasoning="row Leo Dan Ivy Tom so Ivy",
        by="solver",
        reason=None if number % 11 else "no_right_answer",
        votes=votes,  # pyright: ignore[reportArgumentType]
        vote=vote,
        votes_right={name: letter == truth for name, letter in votes.items() if letter},
        vote_right=None if vote is None else vote == truth,
        agreement=cast.count(lead) / len(cast) if lead else 0.0,
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
            choices=dict(zip(LETTERS, choices, strict=False)),
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
