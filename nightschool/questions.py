"""From a topic to a written question: what a teacher is asked, and how its reply is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from nightschool.parsing import Rejected, parse_json
from nightschool.prompts import Prompt
from nightschool.records import Dropped, Question, Written
from nightschool.school.hints import hint
from nightschool.seeds import rng_of, seed_of
from nightschool.wire import Ask, Choice, Message, Reply, Sampling

RULES_VERSION = 1

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class WrittenReply(BaseModel):
    """The JSON that a teacher is held to by guided decoding: the plan comes first, the wrong choices last."""

    model_config = ConfigDict(extra="forbid")

    plan: Text
    question: Text
    answer: Text
    distractors: Annotated[list[Text], Field(min_length=3, max_length=3)]


SCHEMA = WrittenReply.model_json_schema()


def row_ids(topics: Sequence[str], per_topic: int) -> Iterator[tuple[str, str]]:
    """(topic, row id) of every question wanted of one teacher; topics take turns, so that every chunk has all."""
    for number in range(per_topic):
        for topic in topics:
            yield topic, f"{topic}-{number:05d}"


def ask(
    topic: str, row_id: str, *, teacher: str, seed: int, prompt: Prompt, sampling: Sampling, example: str = ""
) -> Ask:
    """The request for one question; its hint varies names and letters, so that 500 requests are not one question.

    Args:
        example: what stands for `$example`, with its choices, where the prompt shows one.

    Source: plan 000, 2.2; its one fixed prompt gave 99 exact duplicates.
    """
    return Ask(
        id=row_id,
        messages=prompt.messages(topic=topic, hint=_hint(topic, row_id, teacher=teacher, seed=seed), example=example),
        sampling=sampling,
        seed=seed_of("questions", seed, teacher, row_id),
        json_schema=SCHEMA,
    )


def _hint(topic: str, row_id: str, *, teacher: str, seed: int) -> str:
    return hint(topic, rng_of("hint", seed, teacher, row_id))


def messages_of(row: Written, others: Sequence[Question], *, seed: int, prompt: Prompt) -> tuple[Message, ...]:
    """What a question was written for, with its own hint, under this prompt.

    Args:
        others: questions of its topic, of which one that is not this stands for `$example`, with its choices, as it is
            put to whoever answers: where prompts are told apart by a role's mark alone, nothing else gives it away.
    """
    asked = row.id.removeprefix(f"{row.teacher}-")
    known = [other for other in others if other.question != row.question] or list(others)
    example = rng_of("example", seed, row.id).choice(known)
    return prompt.messages(
        topic=row.topic,
        hint=_hint(row.topic, asked, teacher=row.teacher, seed=seed),
        example=f"{example.question}\n{example.lettered}",
    )


def completion(row: Written) -> str:
    """A question as the student is to write it: the bytes that guided decoding would give."""
    found = {"plan": row.plan, "question": row.question, "answer": row.right, "distractors": list(row.distractors)}
    return WrittenReply.model_validate(found).model_dump_json()


def flaw(choice: Choice) -> str | None:
    """Why a reply is no question, if so."""
    found = _found(choice)
    return found.reason if isinstance(found, Rejected) else None


def read(reply: Reply, *, topic: str, teacher: str) -> Written | Dropped:
    """A reply as a question, or dropped as `truncated`, `not_json`, `wrong_shape` or `too_long`."""
    choice = reply.choices[0]
    found = _found(choice)
    if isinstance(found, Rejected):
        return Dropped(id=reply.id, topic=topic, reason=found.reason, detail=found.detail, text=choice.text[:2000])
    return Written(
        id=f"{teacher}-{reply.id}",
        topic=topic,
        teacher=teacher,
        plan=found.plan,
        question=found.question,
        right=found.answer,
        distractors=tuple(found.distractors),
    )


def _found(choice: Choice) -> WrittenReply | Rejected:
    return parse_json(choice.text, WrittenReply, finish=choice.finish, repair=True)
