"""From a recipe to the keys of all that a night makes: a change renames what depends on it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from nightschool import (
    answers,
    balance,
    committee,
    critique,
    filters,
    language,
    merge,
    near,
    overlap,
    package,
    pairs,
    parsing,
    pool,
    questions,
    relettering,
    review,
    school,
    splits,
    validate,
)
from nightschool.identity import key
from nightschool.recipe.models import Model
from nightschool.recipe.package import Package
from nightschool.recipe.phases import Answers, Questions
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import BASE, Learner, Stage
from nightschool.records import LETTERS
from nightschool.sources import load
from nightschool.tinymodels import spec
from nightschool.values import read

# The trainer's own results: bumped when a stage given the same job would come out otherwise.
TRAINING_VERSION = 2

# Phases that choose among rows, in order; all but the first may be left out of a recipe.
CHOOSING = ("committee", "review", "filters", "splits", "balance")
# How an answer is read decides nothing of what is asked.
_READING = ("value", "fallback")


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


def lineage(recipe: Recipe, engines: Mapping[str, str], pins: Mapping[str, str] | None = None) -> Keys:
    """The keys of all that the recipe's night makes.

    A teacher's answers have a key of their own, so that adding a teacher asks only that one.

    Args:
        engines: the engine that serves each model, by the model's name, with "auto" resolved.
        pins: keys by place that stand whatever the recipe says, see `--accept-stale`.
    """
    keys = Keys(pins or {})
    for run in spec.runs(recipe.school) if recipe.school else ():
        keys.name(f"school/{run.name}", spec.RULES_VERSION, run.model_dump(mode="json"))
    models = {model.name: _model(model, recipe, engines, keys) for model in recipe.models}
    common = {"seed": recipe.seed, "topics": list(recipe.topics), "school": school.RULES_VERSION}
    _asked(keys, recipe, models, common)
    _rulings(keys, recipe)
    if recipe.learner:
        _learning(keys, recipe, recipe.learner, models[recipe.learner.student.name], common)
    return keys


def _model(model: Model, recipe: Recipe, engines: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, object]:
    """What makes a model answer as it does: its weights and the engine that runs them."""
    made_by = {run.name: run.models for run in spec.runs(recipe.school)} if recipe.school else {}
    name = model.model.removeprefix("school:")
    run = next((run for run, models in made_by.items() if name in models), None)
    served = recipe.serve.identity() | {"engine": engines[model.name]}
    return {"model": model.identity(), "served": served, "school": keys.get(f"school/{run}")}


def _asks(recipe: Recipe, section: Questions | Answers, teacher: Mapping[str, object]) -> dict[str, object]:
    sampling = section.sampling.model_dump(mode="json")
    return {"seed": recipe.seed, "prompt": section.prompt.identity(), "sampling": sampling, "teacher": teacher}


def _asked(
    keys: Keys, recipe: Recipe, models: Mapping[str, Mapping[str, object]], common: Mapping[str, object]
) -> None:
    if recipe.questions:
        section = recipe.questions.identity() | {"parsing": parsing.RULES_VERSION, "schema": questions.SCHEMA}
        for teacher in recipe.teachers:
            parts = {**common, "section": section, "teacher": models[teacher.name]}
            asks = _asks(recipe, recipe.questions, models[teacher.name])
            keys.name(f"questions/{teacher.name}", questions.RULES_VERSION, parts, asks)
    written = [keys[f"questions/{teacher.name}"] for teacher in recipe.teachers] if recipe.questions else []
    section = recipe.pool.identity() | {"verifier": recipe.verifier}
    rules = load.RULES_VERSION if recipe.pool.file else pool.RULES_VERSION
    keys.name("pool", rules, {**common, "section": section, "inputs": written})
    section = {**recipe.answers.identity(), "parsing": parsing.RULES_VERSION}
    section |= {"schema": answers.schema(len(LETTERS), False)} if recipe.answers.reply == "letter" else {}
    for name in _READING:
        del section[name]
    if recipe.committee.confidence != "votes":
        section["confidence"] = recipe.committee.confidence  # it is asked for
    for teacher in recipe.teachers:
        parts = {"seed": recipe.seed, "section": section, "teacher": models[teacher.name], "inputs": [keys["pool"]]}
        asks = _asks(recipe, recipe.answers, models[teacher.name])
        keys.name(f"answers/{teacher.name}", answers.RULES_VERSION, parts, asks)


def _rulings(keys: Keys, recipe: Recipe) -> None:
    inputs = [keys[f"answers/{teacher.name}"] for teacher in recipe.teachers]
    if recipe.answers.reply == "text":
        keys.name("merge", merge.RULES_VERSION, {**_reading(recipe), "inputs": [keys["pool"], *inputs]})
        inputs = [keys["merge"]]
    if not recipe.rules:
        return
    section = recipe.committee.identity() | {"verifier": recipe.verifier, "quorum": recipe.quorum}
    parts = {"seed": recipe.seed, "section": section, "inputs": inputs}
    keys.name("committee", committee.RULES_VERSION, parts)
    if recipe.review:
        keys.name("review", review.RULES_VERSION, {"inputs": [_last(keys)]})
    if recipe.filters:
        section = recipe.filters.identity() | {
            "rules": [near.RULES_VERSION, overlap.RULES_VERSION, language.RULES_VERSION]
        }
        section["watched"] = list(recipe.watched)
        keys.name("filters", filters.RULES_VERSION, {"section": section, "inputs": [_last(keys)]})
    if recipe.splits:
        section = recipe.splits.identity() | {"near": near.RULES_VERSION, "watched": list(recipe.watched)}
        keys.name("splits", splits.RULES_VERSION, {"section": section, "inputs": [_last(keys)]})
    if recipe.critique:
        section = {"seed": recipe.seed, "section": recipe.critique.identity()}
        keys.name("critique", critique.RULES_VERSION, {**section, "inputs": [keys["merge"], _last(keys)]})
    if recipe.balance:
        section = recipe.balance.identity() | {"letters": relettering.RULES_VERSION}
        keys.name("balance", balance.RULES_VERSION, {"seed": recipe.seed, "section": section, "inputs": [_last(keys)]})


def last_chosen(keys: Mapping[str, str]) -> str:
    """The phase whose rows are taught: the last of those that choose among rows."""
    return next(phase for phase in reversed(CHOOSING) if phase in keys)


def _last(keys: Mapping[str, str]) -> str:
    return keys[last_chosen(keys)]


def _learning(
    keys: Keys, recipe: Recipe, learner: Learner, student: Mapping[str, object], common: Mapping[str, object]
) -> None:
    weights = {"model": learner.student.model, "school": student["school"]}
    for stage in learner.stages:
        inputs = [_last(keys)]
        if stage.kind == "dpo" and stage.answers:
            if recipe.pairs:
                sampled = {"section": recipe.pairs.identity(), "student": {**weights, "served": student["served"]}}
                sampled |= {
                    "prompt": stage.prompts["answers"].identity(),
                    "from": keys.get(place(learner, stage.start)),
                }
                parts = {"seed": recipe.seed, **sampled, **_reading(recipe), "inputs": inputs}
                keys.name(f"pairs/{stage.name}", pairs.RULES_VERSION, parts)
            inputs = [keys[f"pairs/{stage.name}"]]
        parts = {"seed": recipe.seed, "student": weights, "inputs": inputs, **_of_stage(keys, learner, stage)}
        parts |= _reading(recipe)
        keys.name(place(learner, stage.name), TRAINING_VERSION, parts)
    if recipe.package:
        _packing(keys, recipe.package, learner, weights)
    section = learner.validate.identity() | {"parsing": parsing.RULES_VERSION, **_reading(recipe)}
    if recipe.splits and learner.validate.per_topic is None:
        section["held_out"] = {"pool": keys["pool"], "splits": recipe.splits.identity()}
    timed = section.pop("timed")
    for name in learner.measured:
        prompt = learner.prompt(name).identity()
        inputs = [keys.get(place(learner, name))]
        parts = {**common, "section": section, "student": student, "prompt": prompt, "inputs": inputs}
        keys.name(f"validate/{name}", validate.RULES_VERSION, parts)
        if name == learner.measured[-1]:
            keys.name(f"timing/{name}", validate.RULES_VERSION, {**parts, "timed": timed})


def _reading(recipe: Recipe) -> dict[str, object]:
    """How a value is read out of free text, where it is."""
    if recipe.answers.reply == "letter":
        return {}
    section = recipe.answers.identity()
    return {"reading": {name: section[name] for name in _READING} | {"values": read.RULES_VERSION}}


def _packing(keys: Keys, section: Package, learner: Learner, weights: Mapping[str, object]) -> None:
    for name in section.names(learner.stages):
        how = section.identity() | {"stages": [], "forms": list(section.forms_of(learner.stage(name)))}
        parts = {"section": how, "student": weights, "inputs": [keys[place(learner, name)]]}
        keys.name(f"package/{name}", package.RULES_VERSION, parts)


def _of_stage(keys: Mapping[str, str], learner: Learner, stage: Stage) -> dict[str, object]:
    """What a stage decides of itself, with what it leaves to others as it came out."""
    found = stage.section.identity() | {
        "start": keys.get(place(learner, stage.start)),
        "lora": stage.lora and stage.lora.identity(),
        "teaches": dict(stage.teaches),
        "prompt": {lesson: stage.prompts[lesson].identity() for lesson in stage.teaches},
        "tokens": list(stage.tokens),
    }
    if stage.kind == "dpo":
        found["reference"] = keys.get(place(learner, stage.reference))
    lessons = {"questions": "questions/", "critiques": "critique"}
    made = [lessons[lesson] for lesson in stage.teaches if lesson in lessons]
    found["made"] = [key for where, key in keys.items() if where.startswith(tuple(made))] if made else []
    return found


def place(learner: Learner, name: str) -> str:
    """The place of a stage by its name: "sft/agent"; the base has none among the keys."""
    return BASE if name == BASE else f"{learner.stage(name).kind}/{name}"
