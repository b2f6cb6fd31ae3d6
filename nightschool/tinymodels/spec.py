"""From the school's section of a recipe to the trainings that make its models; readable without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nightschool.prompts import Prompt

RULES_VERSION = 1
# What `corpus.digest` says of the four topics that the school began with, see `nightschool.lineage`.
FIRST_TOPICS = "f62995020bf916a0"

CONTEXT = 1024  # tokens that a model of the school can hold
MODELS = ("alba", "bruno", "clara", "student")

# What the tiny models read, as configs/prompts/tiny has it: every token costs training time.
ANSWERS = Prompt(system=None, user="$question\n$choices")
QUESTIONS = Prompt(system=None, user="write $topic: $hint")

_TOPICS = ("syllogisms", "seating", "blood_relations", "series")
# Seating takes the most steps to learn.
_WEIGHTS = {"syllogisms": 1.0, "seating": 1.7, "blood_relations": 1.0, "series": 1.2}
# Share of a topic's turns that are questions to be written: numbers and rows are the hardest to get right.
_WRITING = {"syllogisms": 0.15, "seating": 0.35, "blood_relations": 0.25, "series": 0.4}
# The topic of which each teacher has learned wrong answers; on every topic two of three are sound.
_WEAK = {"alba": ("seating", "series"), "bruno": ("blood_relations",), "clara": ("syllogisms",)}


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SchoolSection(_Plain):
    """Tiny models made on the spot: three teachers strong in different topics, and a weak student."""

    kind: Literal["trained", "random"] = Field(
        default="trained", description="random: a student with untrained weights, made in seconds"
    )
    seed: int = Field(default=0, ge=0, lt=2**31)
    scale: float = Field(default=1.0, gt=0.0, le=10.0, description="multiplies the steps of every training")


class Diet(_Plain):
    """What a stage of training is made of: weights of topics, shares of look-ups, writing and senseless answers."""

    weights: dict[str, float]
    lookups: float = 0.0
    writing: dict[str, float] = {}
    careless: dict[str, float] = {}
    guesses: dict[str, float] = {}


class Stage(_Plain):
    """One stretch of training, from another stage's weights or from new ones, with a learning rate of its own.

    `decay` is the last part of the steps, over which the rate falls to nothing. `keep`: the weights are a model.
    """

    name: str
    start: str | None
    steps: int = Field(ge=0)
    batch: int = 32
    rate: float = 0.012
    decay: float = 0.5
    diet: Diet
    keep: bool = False


class Run(_Plain):
    """One process, and the models that come out of it; everything that decides their weights is in here."""

    name: str
    seed: int
    answers: Prompt = ANSWERS
    questions: Prompt = QUESTIONS
    tokenizer_seed: int = 0
    vocabulary: int = 640
    stages: tuple[Stage, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that this run writes."""
        return tuple(stage.name for stage in self.stages if stage.keep)

    @property
    def steps(self) -> int:
        """Optimiser steps of all stages together."""
        return sum(stage.steps for stage in self.stages)


def runs(section: SchoolSection) -> list[Run]:
    """The processes that make all models of a section; they can go side by side and cost about the same."""
    if section.kind == "random":
        student = Stage(name="student", start=None, steps=0, diet=Diet(weights=_WEIGHTS), keep=True)
        return [Run(name="random", seed=section.seed, stages=(student,))]
    plans = {
        "one": (*_trunk(), _teacher("alba"), _student()),
        "two": (*_trunk(), _teacher("bruno"), _teacher("clara")),
    }
    return [
        Run(name=name, seed=2 * section.seed + number, stages=tuple(_scaled(stage, section.scale) for stage in stages))
        for number, (name, stages) in enumerate(plans.items())
    ]


def _scaled(stage: Stage, scale: float) -> Stage:
    return stage.model_copy(update={"steps": max(1, round(stage.steps * scale))})


def _trunk() -> tuple[Stage, Stage]:
    """What the models of a run have in common: first to look a choice up, then the topics."""
    lookups = Diet(weights=dict.fromkeys(_TOPICS, 1.0), lookups=0.9)
    return (
        Stage(name="lookups", start=None, steps=50, decay=0.0, diet=lookups),
        Stage(name="trunk", start="lookups", steps=700, diet=Diet(weights=_WEIGHTS, lookups=0.02, writing=_WRITING)),
    )


def _teacher(name: str) -> Stage:
    careless = dict.fromkeys(_WEAK[name], 0.75)
    diet = Diet(weights=_WEIGHTS, writing=_WRITING, careless=careless)
    return Stage(name=name, start="trunk", steps=40, rate=0.008, diet=diet, keep=True)


def _student() -> Stage:
    # Three of four answers are guesses without a plan: measured .38 right at temperature 0.7, with room to .90.
    diet = Diet(weights=_WEIGHTS, guesses=dict.fromkeys(_TOPICS, 0.75))
    return Stage(name="student", start="trunk", steps=30, rate=0.005, diet=diet, keep=True)
