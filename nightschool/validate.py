"""From held-out questions and the student's replies to measured rows: truth by the solver, never by a vote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from nightschool import answers, school
from nightschool.prompts import Prompt
from nightschool.records import LETTERS, Measured, Question
from nightschool.seeds import rng_of, seed_of
from nightschool.values import read as values
from nightschool.values.kinds import Fallback, Kind
from nightschool.wire import Ask, Reply, Sampling

RULES_VERSION = 2

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


def ask(
    question: Question, seed: int, *, prompt: Prompt, sampling: Sampling, letters: bool, draft: str | None = None
) -> Ask:
    """The request for one row, to be answered by a letter in JSON, or in free text; `draft`: what its prompt shows."""
    drawn, row_id = seed_of("validate", seed, question.id), f"{question.id}@{seed}"
    if letters:
        return answers.ask(question, row_id=row_id, prompt=prompt, sampling=sampling, seed=drawn, draft=draft)
    asked = answers.ask_open(question, prompt=prompt, sampling=sampling, seed=drawn, draft=draft)
    return asked.model_copy(update={"id": row_id})


def read(reply: Reply, question: Question, seed: int) -> Measured:
    """One reply by letter, right or wrong or unreadable; unreadable is kept, and counts as not right."""
    letter = question.key
    assert letter is not None
    found = answers.cast(reply.choices[0], choices=len(question.choices), repair=False)
    return _measured(reply, question, seed, truth=letter, value=found.letter, reason=found.reason,
                     right=found.letter == letter)  # fmt: skip


def read_open(
    reply: Reply, question: Question, seed: int, *, kind: Kind, fallback: Fallback, same: Callable[[str, str], bool]
) -> Measured:
    """One reply in free text; one that says no value, or was cut off before it did, is kept and counts as not right.

    Args:
        question: with an answer that has a value of this kind.
        same: whether a truth and a value are equal, where it takes mathematics to tell.
    """
    truth = truth_of(question, kind)
    assert truth is not None
    choice = reply.choices[0]
    found = values.read(choice.text, kind, fallback=fallback)
    told = None if found.value is None else values.equal(truth, found.value, kind)
    right = same(truth, found.value) if found.value is not None and told is None else bool(told)
    reason = found.reason if found.value is None else None
    if reason and choice.finish == "length":
        reason = "truncated"
    return _measured(reply, question, seed, truth=truth, value=found.value, reason=reason, right=right)


def truth_of(question: Question, kind: Kind) -> str | None:
    """The value of a held-out question's answer; None for one that cannot be measured with."""
    if kind == "letter" and question.truth is not None:
        return question.truth
    return values.read_truth(question.answer, kind).value if question.answer is not None else None


def of_side(
    questions: Iterable[Question],
    side: Side,
    side_of: Callable[[str], str],
    kind: Kind,
    *,
    limit: int | None,
    seed: int,
) -> list[Question]:
    """The questions of a file that lie on a held-out side and have a known answer, at most so many, drawn by seed.

    All of them, whatever the committee made of them: measured on those alone that teachers agree on, a student would
    seem to know what it was only spared.

    Source: plan 002, which lost 31.5% of its rows to its teacher's errors before it measured.
    """
    found = [one for one in questions if side_of(one.question) == side and truth_of(one, kind) is not None]
    if limit is not None and limit < len(found):
        places = set(rng_of("held out rows", seed).sample(range(len(found)), limit))
        found = [one for place, one in enumerate(found) if place in places]
    return [one.model_copy(update={"key": one.truth or one.key}) for one in found]


def _measured(reply: Reply, question: Question, seed: int, **found: Any) -> Measured:
    return Measured(
        id=reply.id,
        question=question.id,
        topic=question.topic,
        seed=seed,
        latency_s=reply.latency_s,
        tokens_out=reply.tokens_out,
        text=reply.choices[0].text[:500],
        **found,
    )
