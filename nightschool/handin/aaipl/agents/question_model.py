"""The model that asks: from topics to questions with four choices."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from agents.model import ROOT, Model, Reply

_LETTERS = "ABCD"
# The plan first, the wrong choices last: as the night's models wrote them.
_SHAPE = (
    ('{"plan":"',),
    ('","question":"',),
    ('","answer":"',),
    ('","distractors":["',),
    ('","',),
    ('","',),
    ('"]}',),
)
Brief = tuple[str, dict[str, str]]


class QAgent:
    """Writes questions; code letters the choices, so that no letter is favoured."""

    def __init__(self, settings_file: str = "qgen.yaml") -> None:
        self.model = Model(settings_file)
        self.settings = self.model.settings
        self._rng = random.Random(self.settings["seed"])

    def briefs(self, count: int) -> Iterator[Brief]:
        """(topic, placeholders) of each question, topics in turn; the night drew what each is to be about."""
        drawn: dict[str, list[dict[str, str]]] = json.loads((ROOT / "hints.json").read_text(encoding="utf-8"))
        topics = list(self.settings["topics"])
        for number in range(count):
            topic = topics[number % len(topics)]
            yield topic, drawn[topic][number // len(topics) % len(drawn[topic])]

    def ask(self, briefs: Sequence[Brief]) -> list[tuple[dict[str, Any] | None, float]]:
        """A question for each brief, None where the reply was cut off, and its seconds."""
        asked = [self.model.messages(topic=topic, **fields) for topic, fields in briefs]
        replies = self.model.ask(asked, _SHAPE)
        return [
            (self._question(topic, reply), reply.seconds) for (topic, _), reply in zip(briefs, replies, strict=True)
        ]

    def _question(self, topic: str, reply: Reply) -> dict[str, Any] | None:
        found = reply.record
        if found is None:
            return None
        right = found["answer"].strip()
        choices = [right, *(text.strip() for text in found["distractors"])]
        self._rng.shuffle(choices)
        return {
            "topic": self.settings["topics"][topic],
            "question": found["question"].strip(),
            "choices": [f"{letter}) {text}" for letter, text in zip(_LETTERS, choices, strict=True)],
            "answer": _LETTERS[choices.index(right)],
            "explanation": found["plan"].strip(),
        }
