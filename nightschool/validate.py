"""From held-out questions and the student's replies to measured rows: truth by the solver, never by a vote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from nightschool import answers, school
from nightschool.prompts import Prompt
from nightschool.records import LETTERS, Measured, Question
from nightschool.seeds import rng_of, seed_of
from nightschool.wire import Ask, Reply, Sampling

RULES_VERSION = 1

Side = Literal["test", "validation"]


def held_out(
    topics: Sequence[str], *, per_topic: int, levels: Sequence[int], seed: int, side: Side = "test"
) -> list[Question]:
    """Questions from the eighth of all that no training row and no tiny model's corpus may hold; letters drawn evenly.

    The two sides have no question in common, so that what was chosen on one is proven on the other.

    Source: plan 000's "accuracy on generated questions" was circular: it had no held-out set.
    """
    found: list[Question] = []
    for topic in topics:
        count = per_topic if side == "test" else 2 * per_topic
        puzzles = school.generate(topic, count, seed=seed_of("held out", seed), levels=levels, held_out=True)
        for number, puzzle in enumerate(puzzles[-per_topic:]):
            wrong = list(puzzle.distractors)
            rng_of("held out letters", seed, puzzle.question).shuffle(wrong)
            place = number % 4
            choices = [*wrong[:place], puzzle.right, *wrong[place:]]
            letter = LETTERS[place]
            found.append(
                Question(
                    id=f"{topic}-{number:05d}",
                    topic=topic,
                    question=puzzle.question,
                    choices=tuple(choices),
                    truth=letter,  # pyright: ignore[reportArgumentType]
                    key=letter,  # pyright: ignore[reportArgumentType]
                    source="generator",
                    check="ok",
                )
            )
    return found


def rows(questions: Sequence[Question], seeds: Sequence[int]) -> list[tuple[Question, int]]:
    """Every question under every sampling seed; the same for all stages."""
    return [(question, seed) for seed in seeds for question in questions]


def ask(question: Question, seed: int, *, prompt: Prompt, sampling: Sampling) -> Ask:
    """The request for one row."""
    drawn = seed_of("validate", seed, question.id)
    return answers.ask(question, row_id=f"{question.id}@{seed}", prompt=prompt, sampling=sampling, seed=drawn)


def read(reply: Reply, question: Question, seed: int) -> Measured:
    """One reply, right or wrong or unreadable; unreadable is kept, and counts as not right."""
    choice, letter = reply.choices[0], question.key
    assert letter is not None
    cast = answers.cast(choice, choices=len(question.choices), repair=False)
    return Measured(
        id=reply.id,
        question=question.id,
        topic=question.topic,
        seed=seed,
        truth=letter,
        letter=cast.letter,
        reason=cast.reason,
        latency_s=reply.latency_s,
        tokens_out=reply.tokens_out,
        text=choice.text[:500],
    )
