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
    parsing,
    pool,
    predict,
    questions,
    relettering,
    reliability,
    review,
    school,
    splits,
    submission,
    substitution,
    voting,
)
from nightschool.arena_keys import judging, playing
from nightschool.identity import key
from nightschool.keys import READING, Keys, last, place, reading
from nightschool.recipe import predict as ensemble
from nightschool.recipe.models import Model
from nightschool.recipe.phases import Answers, Questions
from nightschool.recipe.recipe import Recipe
from nightschool.records import LETTERS
from nightschool.sources import load
from nightschool.student_keys import learning
from nightschool.tinymodels import spec
from nightschool.tinymodels.corpus import digest
from nightschool.values import read


def lineage(recipe: Recipe, engines: Mapping[str, str], pins: Mapping[str, str] | None = None) -> Keys:
    """The keys of all that the recipe's night makes.

    A teacher's answers have a key of their own, so that adding a teacher asks only that one.

    Args:
        engines: the engine that serves each model, by the model's name, with "auto" resolved.
        pins: keys by place that stand whatever the recipe says, see `--accept-stale`.
    """
    keys = Keys(pins or {})
    for run in spec.runs(recipe.school) if recipe.school else ():
        keys.name(f"school/{run.name}", spec.RULES_VERSION, run.model_dump(mode="json") | _topics(run))
    models = {model.name: _model(model, recipe, engines, keys) for model in recipe.models}
    common = {"seed": recipe.seed, "topics": list(recipe.topics), "school": school.RULES_VERSION}
    _asked(keys, recipe, models, common)
    _rulings(keys, recipe)
    if recipe.learner:
        learning(keys, recipe, recipe.learner, models[recipe.learner.student.name], common)
    playing(keys, recipe, models, common)
    judging(keys, recipe, models)
    _predicted(keys, recipe, models)
    return keys


def _topics(run: spec.Run) -> dict[str, str]:
    """What the topics make of the school's tokenizer, and nothing for those that it began with: models of a store that
    had been made before topics were in their keys are still the same."""
    found = digest(run)
    return {} if found == spec.FIRST_TOPICS else {"topics": found}


def _model(model: Model, recipe: Recipe, engines: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, object]:
    """What makes a model answer as it does: its weights and the engine that runs them."""
    made_by = {run.name: run.models for run in spec.runs(recipe.school)} if recipe.school else {}
    name = model.model.removeprefix("school:")
    run = next((run for run, models in made_by.items() if name in models), None)
    served = recipe.serve.identity() | {"engine": engines[model.name]}
    return {"model": model.identity(), "served": served, "school": keys.get(f"school/{run}")}


def _predicted(keys: Keys, recipe: Recipe, models: Mapping[str, Mapping[str, object]]) -> None:
    """Names an ensemble's answers; `asks` says of each model who it is, and a reply by it is good in any ensemble."""
    section = recipe.predict
    if section is None:
        return
    asked: dict[str, object] = {}
    for name in ensemble.models(recipe):
        asked[name] = models.get(name) or _stage(recipe, name, models, keys)
        keys.asks[f"predict/{name}"] = key("model", 1, {"model": asked[name]})[:8]
    keys.asks["predict"] = key("predict", 1, {"rows": "each names its model"})[:8]
    counting = [committee.RULES_VERSION, voting.RULES_VERSION, reliability.RULES_VERSION]
    handed_in = ("contest", "unsure", "stand_in", "questions")
    parts = {name: value for name, value in section.identity().items() if name not in handed_in}
    parts |= {"bounds": list(section.bounds or ()), "models": asked, "answers": recipe.answers.identity()}
    parts |= {"committee": recipe.committee.identity(), "counting": counting, "reading": read.RULES_VERSION}
    parts |= {"checking": substitution.RULES_VERSION, "seed": recipe.seed}
    keys.name("predict", predict.RULES_VERSION, parts)
    terms = {name: section.identity()[name] for name in handed_in}
    keys.name("submission", submission.RULES_VERSION, {"section": terms, "inputs": [keys["predict"]]})


def _stage(
    recipe: Recipe, name: str, models: Mapping[str, Mapping[str, object]], keys: Mapping[str, str]
) -> dict[str, object]:
    """The student as one of its stages leaves it."""
    learner = recipe.learner
    assert learner is not None
    return {"student": models[learner.student.name], "stage": keys.get(place(learner, name))}


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
    for name in READING:
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
        keys.name("merge", merge.RULES_VERSION, {**reading(recipe), "inputs": [keys["pool"], *inputs]})
        inputs = [keys["merge"]]
    if not recipe.rules:
        return
    section = recipe.committee.identity() | {"verifier": recipe.verifier, "quorum": recipe.quorum}
    counting = [voting.RULES_VERSION, reliability.RULES_VERSION]
    parts = {"seed": recipe.seed, "section": section, "counting": counting, "inputs": inputs}
    keys.name("committee", committee.RULES_VERSION, parts)
    if recipe.review:
        keys.name("review", review.RULES_VERSION, {"inputs": [last(keys)]})
    if recipe.filters:
        section = recipe.filters.identity() | {
            "rules": [near.RULES_VERSION, overlap.RULES_VERSION, language.RULES_VERSION]
        }
        section["watched"] = list(recipe.watched)
        keys.name("filters", filters.RULES_VERSION, {"section": section, "inputs": [last(keys)]})
    if recipe.splits:
        section = recipe.splits.identity() | {"near": near.RULES_VERSION, "watched": list(recipe.watched)}
        keys.name("splits", splits.RULES_VERSION, {"section": section, "inputs": [last(keys)]})
    if recipe.critique:
        section = {"seed": recipe.seed, "section": recipe.critique.identity()}
        keys.name("critique", critique.RULES_VERSION, {**section, "inputs": [keys["merge"], last(keys)]})
    if recipe.balance:
        section = recipe.balance.identity() | {"letters": relettering.RULES_VERSION}
        keys.name("balance", balance.RULES_VERSION, {"seed": recipe.seed, "section": section, "inputs": [last(keys)]})
