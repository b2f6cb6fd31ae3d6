"""Which part of its walk a run may make: from one phase until another; what lies before is used as it is."""

from __future__ import annotations

from collections.abc import Iterator

from nightschool.errors import RecipeError, Refused
from nightschool.forecast import forecast
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import Stage
from tasks import branches
from tasks.night import Night
from tasks.steps import STEPS, phases

FROM, UNTIL = "--from", "--until"

# These come round once for each stage of the student, in this order for each.
_BY_STAGE = ("drafts", "sft", "pairs", "dpo", "rounds")


class Reached(Exception):
    """The run has come to its end before the night's."""


class Span:
    """From the first time that a night comes to one phase until it has left another for the last time.

    Raises:
        RecipeError: the recipe runs no such phase, or the end lies before the beginning.
    """

    def __init__(self, recipe: Recipe, first: str | None = None, last: str | None = None) -> None:
        self._walk = list(walk(recipe))
        order = [phase for phase, _ in self._walk]
        for flag, phase in ((FROM, first), (UNTIL, last)):
            if phase is not None and phase not in order:
                known = ", ".join(dict.fromkeys(order))
                raise RecipeError("the recipe runs no such phase", field=flag, value=phase, allowed=known)
        self.first, self.last = first, last
        self._begin = order.index(first) if first else 0
        self._end = len(order) - 1 - order[::-1].index(last) if last else len(order) - 1
        if self._end < self._begin:
            raise RecipeError(f"the night comes to {last} before {first}", field=UNTIL, value=last)

    def enter(self, phase: str, part: str = "") -> None:
        """Called before a phase.

        Raises:
            Reached: it lies behind the end.
        """
        if (phase, part) in self._walk and self._walk.index((phase, part)) > self._end:
            raise Reached

    def leave(self, phase: str, part: str = "") -> None:
        """Called behind a phase.

        Raises:
            Reached: it was the last one, and the night would go on.
        """
        if (phase, part) == self._walk[self._end] and self._end < len(self._walk) - 1:
            raise Reached

    def refuse(self, night: Night) -> None:
        """Ends a run before it has begun if it would have to make what lies before its first phase.

        Raises:
            Refused: names the phase that is not whole, and what to do.
        """
        lacking = next((one for one in self._lacking(night) if one), "")
        if lacking:
            mend = f"run without {FROM}, or with {FROM} {lacking.partition(' ')[0]}"
            raise Refused(f"nothing before {self.first} may be made ({FROM}), and {lacking}: {mend}")

    def _lacking(self, night: Night) -> Iterator[str]:
        expected = {ahead.phase: ahead.chunks for ahead in forecast(night.recipe)}
        for phase, part in self._walk[: self._begin]:
            if part and part in branches.skipped(night):
                continue
            chunks = (STEPS[phase].of(part) if part else STEPS[phase]).chunks(night)
            missing = len(chunks) - len(night.made(chunks))
            if missing:
                yield f"{phase} lacks {missing} of {len(chunks)} chunks"
            elif not chunks and expected[phase]:
                yield f"{phase} was never made"


def walk(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Every phase that the recipe runs, in the order in which its night comes to it, with the stage that it is of."""
    order = list(STEPS)
    first, last = order.index(_BY_STAGE[0]), order.index(_BY_STAGE[-1])
    ahead = [phase for phase in phases(recipe) if phase not in _BY_STAGE]
    yield from ((phase, "") for phase in ahead if order.index(phase) < first)
    for stage in recipe.stages:
        yield from _of_stage(stage)
    yield from ((phase, "") for phase in ahead if order.index(phase) > last)


def _of_stage(stage: Stage) -> list[tuple[str, str]]:
    found = [("drafts", stage.draft_of)] if stage.draft_of else []
    if stage.kind != "sft":
        found += [("rounds", stage.gate)] if stage.gate else []
        found += [("pairs", stage.name)]
    return [*found, (stage.kind, stage.name)]
