"""From a request to the texts that a script replies with; the same request gets the same texts, whenever it comes."""

from __future__ import annotations

import hashlib
import random
from typing import Any

from blocks.scripted import maths, school, verdict
from blocks.scripted.asked import Asked
from blocks.scripted.key import AnswerKey
from nightschool.recipe.script import Script, ScriptedModel


class Texts:
    """What the models of a script say.

    Raises:
        DataError, OSError: the script's right answers cannot be read.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._key = AnswerKey(script.answers)

    def of(self, asked: Asked, prompt: str) -> list[str]:
        """The samples for one prompt."""
        said = self._plain(asked, prompt)
        if not self._script.signed or self._script.behaviour == "school":
            return said
        return [f"{text} {signature(asked.system)}" for text in said]

    def _plain(self, asked: Asked, prompt: str) -> list[str]:
        behaviour = self._script.behaviour
        if behaviour == "echo":
            return [prompt] * asked.samples
        if behaviour == "text":
            return [self._script.text] * asked.samples
        model = self._script.models[asked.model]
        dice = (
            random.Random(f"{asked.seed}\x1f{asked.model}\x1f{sample}\x1f{prompt}") for sample in range(asked.samples)
        )
        if behaviour == "maths":
            right, share = self._key.number(prompt), model.accuracy_on("maths")
            return [maths.solve(right, share, rng, stated="confidence" in prompt.lower()) for rng in dice]
        if behaviour == "verdict":
            return [verdict.judge(self._key.row(prompt), self._script.reasons, model, rng) for rng in dice]
        return [self._pupil(asked, prompt, model, rng) for rng in dice]

    def _pupil(self, asked: Asked, prompt: str, model: ScriptedModel, rng: random.Random) -> str:
        sign = f" {signature(asked.system)}" if self._script.signed else ""
        return school.reply(prompt, asked.schema, model, rng, self._key.known(prompt), sign=sign)


def logprobs(text: str, digest: bytes, place: int) -> dict[str, Any]:
    """Words as tokens, all as likely as this sample is sure: drawn anew for each, the same for the same request."""
    level = -random.Random(digest + bytes([place])).random()
    return {"content": [{"token": word, "logprob": level, "top_logprobs": []} for word in text.split()]}


def signature(system: str) -> str:
    """How a signed reply names the system prompt that it was asked under."""
    return f"[asked under {hashlib.blake2b(system.encode(), digest_size=4).hexdigest()}]"
