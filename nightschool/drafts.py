"""From a question to the student's first draft of its answer, which a later stage's prompt shows."""

from __future__ import annotations

import hashlib

from nightschool import answers
from nightschool.parsing import parse_json
from nightschool.prompts import Prompt
from nightschool.records import LETTERS, Draft, Question
from nightschool.seeds import seed_of
from nightschool.values import read as values
from nightschool.values.kinds import Kind
from nightschool.wire import Ask, Choice, Reply, Sampling

RULES_VERSION = 1


def draft_id(question: Question) -> str:
    """By what a model reads of a question: a copy of a row has its draft, one with other letters one of its own."""
    text = "\x1f".join((question.topic, question.question, *question.choices))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def ask(question: Question, *, prompt: Prompt, sampling: Sampling, seed: int, letters: bool) -> Ask:
    """The request for one draft, under the prompt that the drafter itself is asked with.

    Source: plan 002, "Student Draft Format"; there the draft was made once, and evaluation had none.
    """
    row_id = draft_id(question)
    drawn = seed_of("drafts", seed, row_id)
    if letters:
        return answers.ask(question, row_id=row_id, prompt=prompt, sampling=sampling, seed=drawn)
    asked = answers.ask_open(question, prompt=prompt, sampling=sampling, seed=drawn)
    return asked.model_copy(update={"id": row_id})


def said(text: str, *, kind: Kind, letters: bool) -> str | None:
    """The answer that a draft says, if it says one; `letters`: it may say so in JSON."""
    whole = Choice(text=text, finish="stop")
    letter = answers.cast(whole, choices=len(LETTERS), repair=False).letter if letters else None
    return letter or values.read(text, kind).value


def way(text: str, *, letters: bool) -> str:
    """What of a draft leads to its answer: all of it where the two stand in one text."""
    found = parse_json(text, answers.AnswerReply) if letters else None
    return found.reasoning if isinstance(found, answers.AnswerReply) else text


def read(reply: Reply) -> Draft:
    """The sample as it came, right or wrong, whole or cut off: whoever chose among drafts would show the truth."""
    choice = reply.choices[0]
    return Draft(id=reply.id, text=choice.text.strip(), finish=choice.finish)
