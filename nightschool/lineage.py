"""From a recipe to the keys of all that a night makes: a change renames what depends on it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from nightschool import (
    answers,
    balance,
    committee,
    merge,
    pairs,
    parsing,
    pool,
    question_file,
    questions,
    school,
    validate,
)
from nightschool.identity import key
from nightschool.recipe.models import Model
from nightschool.recipe.recipe import Learner, Recipe
from nightschool.tinymodels import spec
from nightschool.values import read

# The trainer's own results: bumped when a stage given the same job would come out otherwise.
TRAINING_VERSION = 1

STAGES = ("base", "sft", "dpo")


def lineage(recipe: Recipe, engines: Mapping[str, str]) -> dict[str, str]:
    """Keys by place in the night: "pool", "answers/alba" (one per teacher), "validate/sft" (one per stage), ...

    Args:
        engines: the engine that serves each model, by the model's name, with "auto" resolved.

    A teacher's answers have a key of their own, so that adding a teacher asks only that one.
    """
    keys = _school(recipe)
    models = {model.name: _model(model, recipe, engines, keys) for model in recipe.models}
    common = {"seed": recipe.seed, "topics": list(recipe.topics), "school": school.RULES_VERSION}
    keys |= _data(recipe, models, common)
    if recipe.learner:
        keys |= _learning(recipe, recipe.learner, models[recipe.learner.student.name], common, keys)
    return keys


def _school(recipe: Recipe) -> dict[str, str]:
    if recipe.school is None:
        return {}
    runs = spec.runs(recipe.school)
    return {f"school/{run.name}": key("school", spec.RULES_VERSION, run.model_dump(mode="json")) for run in runs}


def _model(model: Model, recipe: Recipe, engines: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, object]:
    """What makes a model answer as it does: its weights and the engine that runs them."""
    made_by = {run.name: run.models for run in spec.runs(recipe.school)} if recipe.school else {}
    name = model.model.removeprefix("school:")
    run = next((run for run, models in made_by.items() if name in models), None)
    served = recipe.serve.identity() | {"engine": engines[model.name]}
    return {"model": model.identity(), "served": served, "school": keys.get(f"school/{run}")}


def _data(recipe: Recipe, models: Mapping[str, Mapping[str, object]], common: Mapping[str, object]) -> dict[str, str]:
    keys: dict[str, str] = {}
    if recipe.questions:
        section = recipe.questions.identity() | {"parsing": parsing.RULES_VERSION}
        for teacher in recipe.teachers:
            parts = {**common, "section": section, "teacher": models[teacher.name]}
            keys[f"questions/{teacher.name}"] = key("questions", questions.RULES_VERSION, parts)
    section = recipe.pool.identity() | {"verifier": recipe.committee.verifier}
    parts = {**common, "section": section, "inputs": list(keys.values())}
    rules = question_file.RULES_VERSION if recipe.pool.file else pool.RULES_VERSION
    keys["pool"] = key("pool", rules, parts)
    section = recipe.answers.identity() | {"parsing": parsing.RULES_VERSION}
    # How an answer is read decides nothing of what is asked.
    reading = {name: section.pop(name) for name in ("value", "fallback")} | {"values": read.RULES_VERSION}
    for teacher in recipe.teachers:
        parts = {"seed": recipe.seed, "section": section, "teacher": models[teacher.name], "inputs": [keys["pool"]]}
        keys[f"answers/{teacher.name}"] = key("answers", answers.RULES_VERSION, parts)
    inputs = [keys[f"answers/{teacher.name}"] for teacher in recipe.teachers]
    if recipe.answers.reply == "text":
        parts = {"reading": reading, "inputs": [keys["pool"], *inputs]}
        return keys | {"merge": key("merge", merge.RULES_VERSION, parts)}
    parts = {"seed": recipe.seed, "section": recipe.committee.identity(), "inputs": inputs}
    keys["committee"] = key("committee", committee.RULES_VERSION, parts)
    parts = {"seed": recipe.seed, "section": recipe.balance.identity(), "inputs": [keys["committee"]]}
    keys["balance"] = key("balance", balance.RULES_VERSION, parts)
    return keys


def _learning(
    recipe: Recipe,
    learner: Learner,
    student: Mapping[str, object],
    common: Mapping[str, object],
    keys: Mapping[str, str],
) -> dict[str, str]:
    weights = {
        "model": learner.student.model,
        "school": student["school"],
        "prompt": learner.student.prompt.model_dump(mode="json"),
    }
    made: dict[str, str] = {}
    parts = {"seed": recipe.seed, "section": learner.sft.identity(), "student": weights, "inputs": [keys["balance"]]}
    made["sft"] = key("sft", TRAINING_VERSION, parts)
    if recipe.pairs and recipe.dpo:
        parts = {
            "seed": recipe.seed,
            "section": recipe.pairs.identity(),
            "student": {**weights, "served": student["served"]},
            "inputs": [keys["balance"], made["sft"]],
        }
        made["pairs"] = key("pairs", pairs.RULES_VERSION, parts)
        parts = {"seed": recipe.seed, "section": recipe.dpo.identity(), "inputs": [made["pairs"], made["sft"]]}
        made["dpo"] = key("dpo", TRAINING_VERSION, parts)
    section = learner.validate.identity() | {"parsing": parsing.RULES_VERSION}
    timed = section.pop("timed")
    for stage in stages(recipe):
        parts = {**common, "section": section, "student": student, "inputs": [made.get(stage)]}
        made[f"validate/{stage}"] = key("validate", validate.RULES_VERSION, parts)
    last = stages(recipe)[-1]
    parts = {"section": section, "timed": timed, "student": student, "inputs": [made[last]]}
    made[f"timing/{last}"] = key("timing", validate.RULES_VERSION, {**common, **parts})
    return made


def stages(recipe: Recipe) -> tuple[str, ...]:
    """The student's stages that this recipe measures, in order of training."""
    if recipe.learner is None:
        return ()
    return STAGES if recipe.dpo else STAGES[:2]


def adapters(recipe: Recipe) -> tuple[str, ...]:
    """Stages that are an adapter of the student."""
    return stages(recipe)[1:]
