"""From a question to the student's first draft of its answer, which a later stage's prompt shows."""

from __future__ import annotations

import hashlib

from nightschool import answers
from nightschool.prompts import Prompt
from nightschool.records import Draft, Question
from nightschool.seeds import seed_of
from nightschool.wire import Ask, Reply, Sampling

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


def read(reply: Reply) -> Draft:
    """The sample as it came, right or wrong, whole or cut off: whoever chose among drafts would show the truth."""
    choice = reply.choices[0]
    return Draft(id=reply.id, text=choice.text.strip(), finish=choice.finish)
