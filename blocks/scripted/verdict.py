"""From a question to a verdict of yes or no behind the reasons that a file has for it: right as often as scripted."""

from __future__ import annotations

import random

from nightschool.recipe.script import ScriptedModel
from nightschool.records import Question

_OTHER = {"yes": "no", "no": "yes"}


def judge(row: Question | None, reasons: str | None, model: ScriptedModel, rng: random.Random) -> str:
    """One solution; `accuracy` may differ by verdict, as plan 002's teacher said no three times as often as yes."""
    right = row.answer if row and row.answer in _OTHER else rng.choice(("yes", "no"))
    said = right if rng.random() < model.accuracy_on(right) else _OTHER[right]
    return f"{_way(row, reasons)}So the answer is {said}."


def _way(row: Question | None, reasons: str | None) -> str:
    found = row.fields.get(reasons) if row and reasons else None
    texts = found if isinstance(found, list) else [found] if found else []
    return "".join(f"{' '.join(str(text).split())}\n" for text in texts)
