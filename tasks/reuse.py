"""What a night would use again, and what it would make: a verdict on each phase, before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from nightschool.errors import RecipeError, Refused
from nightschool.forecast import forecast
from nightschool.recipe.load import load_recipe
from nightschool.reuse import Past, reasons
from tasks.night import Night
from tasks.steps import STEPS

Word = Literal["reuse", "make", "redo", "refuse"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a phase: `whole` of its `chunks` are there and stay; the others are made, or made anew (redo).

    `because`: what changed since the earlier night of this name, or why going on would be wrong; then `mend` says what
    to do instead. Where chunks are not known yet, their number is a forecast.
    """

    phase: str
    word: Word
    chunks: int
    whole: int
    because: str = ""
    mend: str = ""

    @property
    def counted(self) -> str:
        """The chunks that the word is about: "40", or "3 of 40"."""
        meant = self.chunks if self.word in ("reuse", "refuse") else self.chunks - self.whole
        return f"{meant:,}" if meant == self.chunks else f"{meant:,} of {self.chunks:,}"

    @property
    def line(self) -> str:
        """For people: "answers: redo 40 chunks, because prompts/answers.txt changed"."""
        chunks = f"{self.counted} chunk{'' if self.chunks == 1 else 's'}"
        because = f", because {self.because}" if self.because else ""
        return f"{self.phase}: {self.word} {chunks}{because}{f': {self.mend}' if self.mend else ''}"


def reuse(night: Night) -> list[Verdict]:
    """A verdict on every phase of the recipe, in order."""
    past = past_of(night)
    because = reasons(past, night.recipe, night.engines, night.keys) if past else {}
    return [_verdict(night, past, ahead.phase, ahead.chunks, because) for ahead in forecast(night.recipe)]


def refuse(verdicts: Sequence[Verdict]) -> None:
    """Ends a night that can't be right before it has begun.

    Raises:
        Refused: names each phase that is refused, why, and what to do.
    """
    if lines := [verdict.line for verdict in verdicts if verdict.word == "refuse"]:
        raise Refused("\n".join(lines))


def past_of(night: Night) -> Past | None:
    """The earlier night of this name; None if there was none, or none that reads."""
    night.store.bring(f"nights/{night.name}")
    try:
        facts = orjson.loads((night.dir / "night.json").read_bytes())
        recipe = load_recipe(night.dir / "recipe.resolved.yaml")
        return Past(recipe, facts["engines"], facts["keys"], facts["rules"], facts["accepted"])
    except (OSError, ValueError, KeyError, RecipeError):
        return None


def _verdict(night: Night, past: Past | None, phase: str, forecast: int, because: Mapping[str, str]) -> Verdict:
    chunks = STEPS[phase].chunks(night)
    made = {chunk for chunk, _ in night.made(chunks)}
    total, here = len(chunks) or forecast, night.keys.rules[phase]
    there = past.rules.get(phase, here) if past else here

    def verdict(word: Word, because: str = "", mend: str = "") -> Verdict:
        return Verdict(phase, word, total, len(made), because, mend)

    if there > here:
        why = f"newer rules made it ({there}; this program has {here})"
        return verdict("refuse", why, "update nightschool, or give another --name")
    if len(made) == total:
        return verdict("reuse")
    if past and phase in because:
        again = past.pins(phase).items() - night.keys.items()
        return verdict("redo" if again else "make", because[phase])
    harmed = sum(night.store.damage(chunk) is not None for chunk in chunks if chunk not in made)
    return verdict("redo", f"files of {harmed} of them were damaged") if harmed else verdict("make")
