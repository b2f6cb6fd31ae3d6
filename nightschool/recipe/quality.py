"""Recipe section of question quality: whose questions a judge compares, and who judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from nightschool.prompts import Prompt
from nightschool.recipe.arena import players_of, writers
from nightschool.recipe.gate import Gate
from nightschool.recipe.models import Model
from nightschool.recipe.section import (
    Clash,
    Name,
    Positive,
    PromptFile,
    Section,
    Share,
    Temperature,
    execution,
    fill,
)
from nightschool.wire import Sampling

if TYPE_CHECKING:
    from nightschool.recipe.recipe import Recipe


class Comparison(Section):
    """Two writers: of the arena, where there is one; else teachers, by what they wrote for the night."""

    ours: Name
    theirs: Name

    @property
    def name(self) -> str:
        """What it is called: "asker over alba"."""
        return f"{self.ours} over {self.theirs}"


class Quality(Section):
    """Which of two questions is better, asked of language models in both orders.

    Source: plan 002, "GPT-4 question-quality"; issue 6, 5.
    """

    prompt: PromptFile
    compare: tuple[Comparison, ...] = Field(min_length=1)
    models: tuple[Model, ...] = Field(default=(), description="models that judge and do nothing else")
    judges: tuple[Name, ...] = Field(
        default=(), description="models of this section and teachers; left out: the former"
    )
    pairs: Positive = Field(default=100, description="most pairs of a comparison, drawn by seed; each is asked twice")
    temperature: Temperature = 0.0
    top_p: Share = 1.0
    max_tokens: Positive = 512
    chunk_rows: Positive = 200
    chunks_in_flight: int = execution(16, ge=1, le=64, description="chunks that are asked for side by side")

    @property
    def sampling(self) -> Sampling:
        """How verdicts are drawn, one for each order."""
        return Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens)

    @field_validator("prompt")
    @classmethod
    def _can_be_filled(cls, prompt: Prompt) -> Prompt:
        return fill(prompt, {"topic", "first", "second"}, {"first", "second"})


def judges_of(recipe: Recipe) -> tuple[str, ...]:
    """Who judges, nothing left out; nobody where nothing is judged."""
    section = recipe.quality
    if section is None:
        return ()
    return section.judges or tuple(model.name for model in section.models)


def check(recipe: Recipe) -> None:
    """Whether there is something to compare, and somebody who may judge it.

    Raises:
        Clash: with the field to edit.
    """
    section = recipe.quality
    if section is None:
        return
    written = writers(players_of(recipe)) if recipe.arena else tuple(teacher.name for teacher in recipe.teachers)
    if recipe.questions is None:
        raise Clash("nobody writes questions", "quality", allowed="a questions section")
    for place, one in enumerate(section.compare):
        for part in ("ours", "theirs"):
            if getattr(one, part) not in written:
                raise Clash(f"{getattr(one, part)} writes no questions that are compared", "quality", "compare", place,
                            part, allowed=", ".join(written))  # fmt: skip
        if one.ours == one.theirs:
            raise Clash(f"{one.ours} is compared with itself", "quality", "compare", place, "theirs")
    _can_judge(recipe, section)


def gated(recipe: Recipe, gate: Gate, index: int) -> None:
    """That a gate speaks of somebody who plays, or whose questions are judged.

    Raises:
        Clash: nobody of that name does.
    """
    if gate.player is None:
        return
    compared = recipe.quality.compare if recipe.quality else ()
    of_judges = gate.metric == "preference"
    names = [one.ours for one in compared] if of_judges else [one.name for one in players_of(recipe)]
    if gate.player not in names:
        what = "whose questions nobody judges" if of_judges else "who does not play"
        lacks = f"{'a quality' if of_judges else 'an arena'} section"
        raise Clash(f"gate {gate.name} is about {gate.player}, {what}", "gates", index, "player",
                    allowed=", ".join(dict.fromkeys(names)) or lacks)  # fmt: skip


def _can_judge(recipe: Recipe, section: Quality) -> None:
    known = [model.name for model in (*section.models, *recipe.teachers)]
    compared = {name for one in section.compare for name in (one.ours, one.theirs)}
    if not judges_of(recipe):
        raise Clash("nobody judges", "quality", "judges", allowed=", ".join(known) or "a model in quality.models")
    for name in judges_of(recipe):
        if name not in known:
            raise Clash(f"{name} is no judge", "quality", "judges", allowed=", ".join(known))
        if name in compared:
            raise Clash(f"{name} would judge its own questions", "quality", "judges",
                        allowed=", ".join(one for one in known if one not in compared))  # fmt: skip
