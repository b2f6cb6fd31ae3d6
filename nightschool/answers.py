"""From a question to a teacher's answers: what is asked, and how the replies are read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from nightschool.errors import DataError
from nightschool.parsing import Rejected, parse_json
from nightschool.prompts import Prompt
from nightschool.records import LETTERS, Answer, Cast, Dropped, Letter, Question, Said, Solutions
from nightschool.wire import Ask, Choice, Message, Reply, Sampling

RULES_VERSION = 1


class AnswerReply(BaseModel):
    """The JSON that an answerer is held to: reasoning before the letter, so that it thinks before it chooses."""

    model_config = ConfigDict(extra="forbid")

    reasoning: Annotated[str, StringConstraints(max_length=8000)]
    answer: Letter


@cache  # making one takes milliseconds, and a night has thousands of requests
def reply_of(choices: int, *, stated: bool = False) -> type[AnswerReply]:
    """The reply to a question with so many choices: no other letter is one.

    Args:
        stated: it also says how sure it is, as a number from 0 to 1.
    """
    fields: dict[str, Any] = {"answer": (Literal[tuple(LETTERS[:choices])], ...)}
    if stated:
        fields["confidence"] = (Annotated[float, Field(ge=0, le=1)], ...)
    return create_model("AnswerReply", __base__=AnswerReply, __doc__=AnswerReply.__doc__, **fields)


@cache
def schema(choices: int, stated: bool) -> dict[str, object]:
    """What a model is held to with so many choices, its confidence `stated` with the answer or not."""
    return reply_of(choices, stated=stated).model_json_schema()


def messages(question: Question, prompt: Prompt, draft: str | None = None) -> tuple[Message, ...]:
    """The one rendering of a question: in teaching, training, sampling and tests alike (plan 002 had two).

    Args:
        draft: of an answer, for a prompt that shows one.
    """
    return prompt.messages(draft=draft, topic=question.topic, question=question.question, choices=question.lettered)


def ask(
    question: Question,
    *,
    row_id: str,
    prompt: Prompt,
    sampling: Sampling,
    seed: int,
    stated: bool = False,
    draft: str | None = None,
) -> Ask:
    """The request for `sampling.samples` answers to one question; `stated`: with how sure each is."""
    return Ask(
        id=row_id,
        messages=messages(question, prompt, draft),
        sampling=sampling,
        seed=seed,
        json_schema=schema(len(question.choices), stated),
    )


def cast(choice: Choice, *, choices: int, repair: bool, stated: bool = False) -> Cast:
    """One sampled reply as a vote, or an abstention with its reason: a reply that can't be read says nothing.

    Args:
        choices: how many the question has; a letter beyond them is no vote.
        repair: mend broken JSON: for teachers, never for the student, whose format is measured and learned from.
        stated: whether it had to say how sure it is; else that comes from its logprobs, if they were asked for.
    """
    found = parse_json(choice.text, reply_of(choices, stated=stated), finish=choice.finish, repair=repair)
    if isinstance(found, Rejected):
        return Cast(letter=None, reason=found.reason)
    sure = getattr(found, "confidence", None) if stated else choice.confidence
    return Cast(letter=found.answer, reasoning=found.reasoning, confidence=sure)


def flaw(choices: int, *, stated: bool = False) -> Callable[[Choice], str | None]:
    """What tells why one sampled reply of a teacher to a question with so many choices says nothing, if so."""
    return lambda choice: cast(choice, choices=choices, repair=True, stated=stated).reason


def read(reply: Reply, *, teacher: str, question: Question, stated: bool = False) -> Answer | Dropped:
    """All samples of one reply; dropped under the first sample's reason when none can be read."""
    casts = tuple(cast(choice, choices=len(question.choices), repair=True, stated=stated) for choice in reply.choices)
    if all(one.letter is None for one in casts):
        first = casts[0].reason if casts else "no_reply"
        text = reply.choices[0].text[:2000] if reply.choices else ""
        return Dropped(id=reply.id, topic=question.topic, reason=first or "no_reply", text=text)
    return Answer(id=reply.id, teacher=teacher, casts=casts)


def check_logprobs(reply: Reply, *, teacher: str) -> None:
    """That a server gave the logprobs that it was asked for.

    Raises:
        DataError: it gave none for any sample.
    """
    if all(choice.confidence is None for choice in reply.choices):
        raise DataError(f"{teacher}'s server gives no logprobs: committee.confidence can be votes or stated")


def ask_open(question: Question, *, prompt: Prompt, sampling: Sampling, seed: int, draft: str | None = None) -> Ask:
    """The request for `sampling.samples` solutions in free text.

    Source: plan 004, generate_solutions.py.
    """
    return Ask(id=question.id, messages=messages(question, prompt, draft), sampling=sampling, seed=seed)


def flaw_open(choice: Choice) -> str | None:
    """Why one sampled solution can't be used, if so."""
    if choice.finish == "length":
        return "truncated"
    return None if choice.text.strip() else "empty"


def read_open(reply: Reply, *, teacher: str, question: Question) -> Solutions | Dropped:
    """Every sample that came to its end; dropped as `truncated` or `empty` when none did.

    Source: plan 004, whose checker counted a solution that was cut off as a wrong one.
    """
    whole = tuple(
        Said(text=choice.text, finish=choice.finish, reasoning=choice.reasoning, confidence=choice.confidence)
        for choice in reply.choices
        if flaw_open(choice) is None
    )
    if whole:
        return Solutions(id=reply.id, teacher=teacher, said=whole)
    flaws = {flaw_open(choice) for choice in reply.choices}
    text = reply.choices[0].text[:2000] if reply.choices else ""
    return Dropped(
        id=reply.id, topic=question.topic, reason="truncated" if "truncated" in flaws else "empty", text=text
    )


def completion(reasoning: str, letter: str) -> str:
    """An answer as the student is to write it: the bytes that guided decoding would give."""
    return AnswerReply.model_validate({"reasoning": reasoning, "answer": letter}).model_dump_json()
