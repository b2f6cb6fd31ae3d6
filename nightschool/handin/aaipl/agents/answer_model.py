"""The model that answers: from a question with four choices to a letter and the reasoning before it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agents.model import Model

_LETTERS = "ABCD"
_LETTERED = re.compile(r"^\s*\(?[A-Da-d]\s*[).:\-]\s*")
# Reasoning before the letter, so that it thinks before it chooses.
_SHAPE = (('{"reasoning":"',), tuple(f'","answer":"{letter}"}}' for letter in _LETTERS))


class AAgent:
    """Answers questions; one that runs out of room or time still names a letter."""

    def __init__(self, settings_file: str = "agen.yaml") -> None:
        self.model = Model(settings_file)
        self.settings = self.model.settings

    def ask(self, questions: Sequence[Mapping[str, Any]]) -> list[tuple[dict[str, Any] | None, float]]:
        """An answer for each question, None where the reply cannot be read, and its seconds."""
        replies = self.model.ask([self.messages(question) for question in questions], _SHAPE)
        return [(_answer(reply.record), reply.seconds) for reply in replies]

    def messages(self, question: Mapping[str, Any]) -> list[dict[str, str]]:
        """A question as the student learned to read it, whatever way its author lettered the choices."""
        bare = [_LETTERED.sub("", str(choice)) for choice in question["choices"]]
        choices = "\n".join(f"{letter}) {text}" for letter, text in zip(_LETTERS, bare, strict=False))
        return self.model.messages(topic=str(question.get("topic", "")), question=question["question"], choices=choices)


def _answer(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if record is None else {"answer": record["answer"], "reasoning": record["reasoning"].strip()}
