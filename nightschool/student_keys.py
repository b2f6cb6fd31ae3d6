"""From who learns in a night to the keys of its stages, of what they learn from, and of what measures them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightschool import ablate, drafts, leaks, package, pairs, parsing, rounds, timing, validate
from nightschool.keys import Keys, last, place, reading
from nightschool.recipe.learning import Dpo
from nightschool.recipe.package import Package
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import BASE, Learner, Stage
from nightschool.recipe.timing import timed

# The trainer's own results: bumped when a stage given the same job would come out otherwise.
TRAINING_VERSION = 2
# What the attribution's process makes of the same rows.
ATTRIBUTION_VERSION = 1
# Which questions are held out, of all that decides how they are asked.
_HELD_OUT = ("per_topic", "limit", "levels", "side", "held_out")


def learning(
    keys: Keys, recipe: Recipe, learner: Learner, student: Mapping[str, object], common: Mapping[str, object]
) -> None:
    """Names what every stage is trained on, what it leaves, and what it is measured by.

    Args:
        student: what makes the student answer as it does before it learns.
        common: what decides the rows of every phase.
    """
    weights = {"model": learner.student.model, "school": student["school"]}
    section = _measuring(keys, recipe, learner)
    asked = {**common, "student": student, "section": section}
    for stage in learner.stages:
        if stage.draft_of and f"drafts/{stage.draft_of}" not in keys:
            _drafted(keys, recipe, learner, stage.draft_of, asked)
        if stage.gate:
            _gate(keys, learner, stage, {**asked, "section": section | {"side": rounds.SIDE}})
        if stage.kind == "rounds":
            continue
        inputs = [last(keys)]
        if stage.kind == "dpo" and stage.answers:
            if recipe.pairs:
                paired = _paired(keys, recipe, learner, stage, {**weights, "served": student["served"]})
                keys.name(f"pairs/{stage.name}", pairs.RULES_VERSION, paired)
            inputs = [keys[f"pairs/{stage.name}"]]
        parts = {"seed": recipe.seed, "student": weights, "inputs": inputs, **_of_stage(keys, learner, stage)}
        parts |= reading(recipe)
        keys.name(place(learner, stage.name), TRAINING_VERSION, parts)
    if recipe.package:
        _packing(keys, recipe.package, learner, weights)
    _proving(keys, recipe, learner, asked)
    _timed(keys, recipe, learner, asked)


def _proving(keys: Keys, recipe: Recipe, learner: Learner, asked: Mapping[str, object]) -> None:
    """What is asked of the base and the stages when all of them are trained."""
    for name in learner.measured:
        parts = {**asked, **_who(keys, learner, name)}
        keys.name(f"validate/{name}", validate.RULES_VERSION, parts)
        if recipe.ablate and name in recipe.ablate.of(learner.stages, learner.measured):
            for variant in recipe.ablate.variants:
                rules = {"variant": variant, "measured": validate.RULES_VERSION}
                keys.name(f"ablate/{name}/{variant}", ablate.RULES_VERSION, {**parts, **rules})
            if how := recipe.ablate.attribution:
                keys.name(f"attribute/{name}", ATTRIBUTION_VERSION, {**parts, "attribution": how.identity()})


def _drafted(keys: Keys, recipe: Recipe, learner: Learner, name: str, asked: Mapping[str, Any]) -> None:
    """The first answers of the base or a stage, to all that stages which show them learn from and are asked."""
    student = learner.student
    sampling = {"temperature": student.temperature, "top_p": student.top_p, "max_tokens": student.max_tokens}
    terms = {"seed": recipe.seed, "student": asked["student"], "sampling": sampling}
    terms |= {"prompt": learner.prompt(name).identity(), "letters": recipe.answers.reply == "letter"}
    shown = [(stage.section.questions, bool(stage.section.evaluate), bool(stage.gate))
             for stage in learner.stages if stage.draft_of == name]  # fmt: skip
    held_out = {field: value for field, value in asked["section"].items() if field in _HELD_OUT}
    inputs = [last(keys), keys.get(place(learner, name))]
    parts = {**asked, **terms, "section": held_out, "of": [list(one) for one in dict.fromkeys(shown)], "inputs": inputs}
    keys.name(f"drafts/{name}", drafts.RULES_VERSION, parts, terms if name == BASE else None)


def _paired(
    keys: Mapping[str, str], recipe: Recipe, learner: Learner, stage: Stage, student: Mapping[str, object]
) -> dict[str, object]:
    """What makes a stage's pairs: who drafts, or whose solutions they are, and what is right."""
    section = recipe.pairs
    assert section is not None
    parts: dict[str, object] = {"section": section.identity(), "questions": stage.section.questions}
    parts |= {"seed": recipe.seed, "prompt": stage.prompts["answers"].identity(), **reading(recipe)}
    parts |= _shown(keys, stage.draft_of)
    if stage.section.evaluate and recipe.splits and recipe.splits.validation:
        parts["sides"] = ["train", "validation"]
    if section.rejected == "teacher":
        return parts | {"inputs": [last(keys), keys["critique"]]}
    return parts | {"student": student, "from": keys.get(place(learner, stage.drafter)), "inputs": [last(keys)]}


def _measuring(keys: Mapping[str, str], recipe: Recipe, learner: Learner) -> dict[str, object]:
    """Which held-out questions the student is asked, and how they are read."""
    section = learner.validate.identity() | {"parsing": parsing.RULES_VERSION, **reading(recipe)}
    if recipe.splits and learner.validate.per_topic is None:
        section["held_out"] = {"pool": keys["pool"], "splits": recipe.splits.identity()}
    del section["timed"], section["contest"]
    return section


def _who(keys: Mapping[str, str], learner: Learner, name: str) -> dict[str, object]:
    """The base or a stage as it is asked."""
    found = {"prompt": learner.prompt(name).identity(), "inputs": [keys.get(place(learner, name))]}
    return found | _shown(keys, learner.draft_of(name))


def _shown(keys: Mapping[str, str], drafter: str) -> dict[str, object]:
    """The drafts that a prompt shows, where it does."""
    return {"drafts": keys[f"drafts/{drafter}"]} if drafter else {}


def _timed(keys: Keys, recipe: Recipe, learner: Learner, asked: Mapping[str, object]) -> None:
    """How the student is timed; limits and what came of it are no part of any name."""
    contest = learner.validate.contest
    for kind, name in timed(learner).items():
        terms = contest.terms(kind) if contest else None
        how: dict[str, object] = {"timed": learner.validate.timed, "terms": terms and terms.identity()}
        if kind == "answers":
            keys.name(f"timing/{name}", timing.RULES_VERSION, {**asked, **_who(keys, learner, name), **how})
        elif recipe.questions:
            how |= {"prompt": learner.stage(name).prompts["questions"].identity()}
            how |= {"sampling": recipe.questions.sampling.model_dump(mode="json")}
            parts = {**asked, **how, "inputs": [keys[place(learner, name)]]}
            keys.name(f"timing/{name}@questions", timing.RULES_VERSION, parts)


def _gate(keys: Keys, learner: Learner, stage: Stage, asked: Mapping[str, object]) -> None:
    """The student before a round, as it is measured; and behind the last round what the loop led to."""
    before = learner.before_gate(stage)
    parts = {**asked, "rules": validate.RULES_VERSION, **_who(keys, learner, before)}
    keys.name(f"rounds/{stage.gate}", rounds.RULES_VERSION, parts)
    if stage.kind == "rounds" and isinstance(stage.section, Dpo) and stage.section.loop:
        chain = [keys[place(learner, one.name)] for one in learner.stages if one.passing and one.loop == stage.loop]
        gates = [keys[f"rounds/{stage.loop}-{number}"] for number in range(stage.round + 1)]
        terms = {"gate": stage.section.loop.identity(), "inputs": [keys[place(learner, stage.start)], *chain, *gates]}
        keys.name(f"rounds/{stage.name}", rounds.RULES_VERSION, terms)


def _packing(keys: Keys, section: Package, learner: Learner, weights: Mapping[str, object]) -> None:
    for name in section.names(learner.stages):
        how = section.identity() | {"stages": [], "forms": list(section.forms_of(learner.stage(name)))}
        parts = {"section": how, "student": weights, "inputs": [keys[place(learner, name)]]}
        keys.name(f"package/{name}", package.RULES_VERSION, parts)


def _of_stage(keys: Mapping[str, str], learner: Learner, stage: Stage) -> dict[str, object]:
    """What a stage decides of itself, with what it leaves to others as it came out."""
    found = (
        stage.section.identity()
        | {
            "start": keys.get(place(learner, stage.start)),
            "lora": stage.lora and stage.lora.identity(),
            "teaches": dict(stage.teaches),
            "prompt": {lesson: stage.prompts[lesson].identity() for lesson in stage.teaches},
            "tokens": list(stage.tokens),
            "leaks": leaks.RULES_VERSION,
        }
        | _shown(keys, stage.draft_of)
    )
    del found["draft_of"]
    if (how := stage.section.evaluate) is None:
        del found["evaluate"]
    elif how.asks:
        found["max_tokens"] = learner.student.max_tokens
    if stage.kind == "dpo":
        found["reference"] = keys.get(place(learner, stage.reference))
    lessons = {"questions": "questions/", "critiques": "critique"}
    made = [lessons[lesson] for lesson in stage.teaches if lesson in lessons]
    found["made"] = [key for where, key in keys.items() if where.startswith(tuple(made))] if made else []
    return found
