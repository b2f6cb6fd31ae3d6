"""The names of all that a night makes, and the words that rules of naming share."""

from __future__ import annotations

from collections.abc import Mapping

from nightschool.identity import key
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import BASE, Learner
from nightschool.values import read

# Phases that choose among rows, in order; all but the first may be left out of a recipe.
CHOOSING = ("committee", "review", "filters", "splits", "balance")
# How an answer is read decides nothing of what is asked.
READING = ("value", "fallback")


class Keys(dict[str, str]):
    """Keys by place in the night: "pool", "answers/alba" (one per teacher), "sft/NAME" (one per stage), ...

    A place that is pinned keeps the key that it is pinned to, and what follows builds on that one. `rules` has the
    RULES_VERSION of every phase that is named; `asks`, of the places that ask, a name for who is asked and how: under
    the same one, a reply to a row is as good as any, whatever other rows are asked.
    """

    def __init__(self, pins: Mapping[str, str]) -> None:
        super().__init__()
        self.rules: dict[str, int] = {}
        self.asks: dict[str, str] = {}
        self._pins = pins

    def name(
        self, place: str, version: int, parts: Mapping[str, object], asks: Mapping[str, object] | None = None
    ) -> None:
        """Names what a place makes by everything that decides it, see `nightschool.identity.key`.

        Args:
            asks: model, prompt and sampling, for a place whose model no phase of the night makes.
        """
        phase = place.partition("/")[0]
        self.rules[phase] = version
        if asks:
            self.asks[place] = key(phase, 1, asks)[:8]
        self[place] = self._pins.get(place) or key(phase, version, parts)


def last_chosen(keys: Mapping[str, str]) -> str:
    """The phase whose rows are taught: the last of those that choose among rows."""
    return next(phase for phase in reversed(CHOOSING) if phase in keys)


def last(keys: Mapping[str, str]) -> str:
    """The key of the rows that are taught."""
    return keys[last_chosen(keys)]


def reading(recipe: Recipe) -> dict[str, object]:
    """How a value is read out of free text, where it is."""
    if recipe.answers.reply == "letter":
        return {}
    section = recipe.answers.identity()
    return {"reading": {name: section[name] for name in READING} | {"values": read.RULES_VERSION}}


def place(learner: Learner, name: str) -> str:
    """The place of a stage by its name: "sft/agent"; the base has none among the keys."""
    return BASE if name == BASE else f"{learner.stage(name).kind}/{name}"
