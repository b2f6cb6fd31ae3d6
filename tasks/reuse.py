"""What a night would use again, and what it would make: a verdict on each phase, before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from nightschool.chunks import Chunk
from nightschool.errors import DataError, RecipeError, Refused
from nightschool.forecast import forecast
from nightschool.recipe.load import load_recipe
from nightschool.reuse import Past, reasons
from tasks import pool
from tasks.night import Night, facts_in
from tasks.steps import STEPS

_FLAG = "--accept-stale"

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
        meant = {"reuse": self.whole, "refuse": self.chunks}.get(self.word, self.chunks - self.whole)
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


def accept_stale(night: Night, phases: Sequence[str]) -> Night:
    """The same night on the rows that these phases have, although the recipe has changed since; unchanged ones stay.

    Raises:
        RecipeError: the recipe runs no such phase, or no earlier night of this name has rows of it.
    """
    if not phases:
        return night
    past, known = past_of(night), {ahead.phase: None for ahead in forecast(night.recipe)}
    for phase in phases:
        if phase not in known:
            raise RecipeError("the recipe runs no such phase", field=_FLAG, value=phase, allowed=", ".join(known))
        if past is None or not past.pins(phase):
            message = f"night {night.name} has no earlier rows of it that could be accepted"
            raise RecipeError(message, field=_FLAG, value=phase)
    assert past is not None
    because = reasons(past, night.recipe, night.engines, night.keys)
    accepted = {phase: because[phase] for phase in phases if phase in because}
    pins = {place: key for place, key in past.pins(*accepted).items() if place in night.keys}
    return replace(night, accepted=accepted, pins=pins)


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
        facts, recipe = facts_in(night.dir), load_recipe(night.dir / "recipe.resolved.yaml")
    except (OSError, DataError, RecipeError):
        return None
    return Past(recipe, facts.engines, facts.keys, facts.rules, facts.accepted)


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
    if phase in night.accepted:
        return verdict(*_accepted(night, past, phase, chunks, total - len(made)))
    if len(made) == total:
        return verdict("reuse")
    if phase == "pool" and (harm := pool.changed(night.recipe)):
        return verdict("refuse", harm, "run the recipe itself, which begins with the file as it is now")
    if past and phase in because:
        again = past.pins(phase).items() - night.keys.items()
        return verdict("redo" if again else "make", because[phase])
    harmed = sum(night.store.damage(chunk) is not None for chunk in chunks if chunk not in made)
    return verdict("redo", f"files of {harmed} of them were damaged") if harmed else verdict("make")


def _accepted(
    night: Night, past: Past | None, phase: str, chunks: Sequence[Chunk], missing: int
) -> tuple[Word, str, str]:
    """An older recipe's rows do if they are all there, and cut into chunks as this one's would be."""
    without = f"run without {_FLAG} {phase}: it is made anew then"
    if past is not None:
        then = replace(night, recipe=past.recipe, engines=dict(past.engines), accepted=past.accepted, pins=past.keys)
        if _cut(night, chunks) != _cut(night, STEPS[phase].chunks(then)):
            return "refuse", f"its rows are cut into other chunks now ({night.accepted[phase]})", without
    if missing > night.recipe.max_failed_chunks:
        why = f"{missing} of the chunks that were accepted are not there for what they are made of now"
        return "refuse", f"{why}, and nothing new is made under an older recipe", without
    return "reuse", f"{night.accepted[phase]}; accepted", ""


def _cut(night: Night, chunks: Sequence[Chunk]) -> set[tuple[str, int, int]]:
    """How the pinned part of a phase is cut."""
    pinned = set(night.pins.values())
    return {(chunk.part, chunk.index, chunk.rows) for chunk in chunks if chunk.key in pinned}
