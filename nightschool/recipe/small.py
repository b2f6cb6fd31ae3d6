"""From a recipe to a small one that needs no model and no GPU: scripted servers, random weights, few rows."""

from __future__ import annotations

from math import ceil
from typing import Any

from nightschool.recipe.arena import Arena
from nightschool.recipe.choosing import Balance
from nightschool.recipe.data_file import Source
from nightschool.recipe.learning import Dpo, Sft
from nightschool.recipe.lora import Lora
from nightschool.recipe.models import Model, Serve, Student
from nightschool.recipe.package import Package
from nightschool.recipe.phases import Answers, Pool, Questions
from nightschool.recipe.predict import Predict
from nightschool.recipe.quality import Quality
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.review import Review
from nightschool.recipe.script import Script, ScriptedModel
from nightschool.recipe.stages import BASE, Stage
from nightschool.tinymodels.spec import SchoolSection

_STUDENT = "school:student"
# Right often enough that rows come through the committee, wrong often enough that pairs do.
_TEACHER, _PUPIL = 0.9, 0.5
# Longer than any prompt of a person: the tokenizer of random weights makes several tokens of a word.
_ROOM = 8192


def dry(recipe: Recipe, *, store: str) -> Recipe:
    """The same phases with the same prompts and rules, on a handful of rows and without the recipe's models.

    Teachers and student are scripted servers; what is trained is a tiny student of random weights, one step a stage.
    Gates stay, though nothing that they measure means anything. Classes are balanced by topic alone: a handful of rows
    has a class without any.
    """
    few = 4 * len(recipe.topics)
    parts = _asked(recipe, rows=few, chunk_rows=ceil(few / 2)) | {"balance": _balanced(recipe)}
    parts |= {"arena": recipe.arena and _dry_arena(recipe), "quality": recipe.quality and _dry_quality(recipe)}
    parts |= {"predict": recipe.predict and _dry_predict(recipe.predict, few)}
    learner = recipe.learner
    if learner:
        names = (BASE, *map(_name, learner.stages))
        pupil = Script(models={name: ScriptedModel(accuracy=_PUPIL) for name in names}, **_manner(recipe))
        few_held = {"per_topic": 2} if learner.validate.per_topic else {"limit": 4}
        parts |= {
            "student": _dry_student(learner.student, pupil),
            "school": SchoolSection(kind="random", seed=recipe.seed),
            "sft": tuple(map(_dry_training, recipe.sft)),
            "dpo": tuple(map(_dry_training, recipe.dpo)),
            "package": recipe.package and _dry_package(recipe.package),
            "pairs": recipe.pairs and recipe.pairs.model_copy(update={"samples": 6}),
            "validate_": learner.validate.model_copy(
                update={**few_held, "seeds": learner.validate.seeds[:1], "timed": 2}
            ),
        }
    return _valid(recipe, store, parts, "a dry run of")


def _dry_predict(section: Predict, rows: int) -> Predict:
    """A few of its problems, of which no sample knows, once and in any time."""
    few = section.questions and Source.model_validate(section.questions.model_dump() | {"limit": rows})
    budget = section.budget.model_copy(update={"per_problem_s": None, "total_s": None})
    return section.model_copy(update={"questions": few, "sample": None, "budget": budget, "rounds": 1})


def _dry_package(package: Package) -> Package:
    """As it is, but for what wants a GPU."""
    forms = ["merged" if form == "quantised" else form for form in package.forms]
    return package.model_copy(update={"forms": tuple(dict.fromkeys(forms))})


def drilled(recipe: Recipe, *, store: str, rows: int, scripts: dict[str, Script], concurrency: int = 8) -> Recipe:
    """Only answers, with about so many questions and so many requests in flight.

    Questions are the generator's or the file's: one that a teacher failed to write would change all that comes after.

    Args:
        scripts: how each teacher's server behaves, by the teacher's name.
    """
    parts = _asked(recipe, rows=rows, chunk_rows=ceil(rows / 3))
    parts["teachers"] = tuple(_teacher(model, scripts[model.name]) for model in recipe.teachers)
    parts["serve"] = Serve(engine="scripted", concurrency=concurrency, attempts=3)
    names = ("questions", "arena", "quality", "student", "school", "pairs", "validate_", "package", "ablate", "predict")
    left_out = dict.fromkeys(names) | {
        "sft": (),
        "dpo": (),
    }
    return _valid(recipe, store, parts | left_out | {"gates": ()}, "a drill of")


def _asked(recipe: Recipe, *, rows: int, chunk_rows: int) -> dict[str, Any]:
    """What makes data: the same prompts and sampling, few rows."""
    per_topic = ceil(rows / len(recipe.topics))
    file = recipe.pool.file
    pool = {"limit": rows} if file else {"per_topic": per_topic, "top_up": "generator"}
    manner = _manner(recipe)
    # As many as the committee wants votes.
    enough = ceil(recipe.quorum / len(recipe.teachers)) if recipe.committee.voters == "samples" else 1
    return {
        "serve": Serve(engine="scripted"),
        "teachers": tuple(_stand_in(model, manner) for model in recipe.teachers),
        "questions": recipe.questions and _few(recipe.questions, per_topic=ceil(per_topic / 4), chunk_rows=chunk_rows),
        "pool": Pool.model_validate(recipe.pool.model_dump() | pool),
        "answers": _few(recipe.answers, samples=min(recipe.answers.samples, max(enough, 2)), chunk_rows=chunk_rows),
        "review": recipe.review and Review(mode="skip"),
        "max_failed_chunks": 0,
    }


def _manner(recipe: Recipe) -> dict[str, Any]:
    """How a scripted server has to answer to be understood, and by which file it is right."""
    known = {name: value for name, value in recipe.pool if name in Source.model_fields}
    manner: dict[str, Any] = {"answers": Source.model_validate(known)} if recipe.pool.file else {}
    if recipe.answers.reply == "text":
        manner["behaviour"] = "verdict" if recipe.answers.value == "yes_no" else "maths"
    return manner


def _strong() -> ScriptedModel:
    return ScriptedModel(accuracy=_TEACHER)


def _teacher(model: Model, script: Script) -> Model:
    return Model(name=model.name, model=model.name, engine="scripted", script=script)


def _stand_in(model: Model, manner: dict[str, Any]) -> Model:
    return _teacher(model, model.script or Script(models={model.name: _strong()}, **manner))


def _dry_arena(recipe: Recipe) -> Arena:
    assert recipe.arena is not None
    rivals = tuple(_stand_in(model, _manner(recipe)) for model in recipe.arena.rivals)
    return recipe.arena.model_copy(update={"per_topic": 3, "rivals": rivals})


def _dry_quality(recipe: Recipe) -> Quality:
    assert recipe.quality is not None
    models = tuple(_stand_in(model, _manner(recipe)) for model in recipe.quality.models)
    return recipe.quality.model_copy(update={"pairs": 2, "models": models})


def _few(section: Questions | Answers, **fields: int) -> Questions | Answers:
    return section.model_copy(update={**fields, "chunks_in_flight": 2})


def _balanced(recipe: Recipe) -> Balance | None:
    return recipe.balance and recipe.balance.model_copy(update={"by": ("topic",), "within": (), "target": None})


def _dry_student(student: Student, script: Script) -> Student:
    asked = student.model_dump(include={"prompt", "temperature", "top_p", "max_tokens"})
    return Student.model_validate(
        {"name": student.name, "model": _STUDENT, "engine": "scripted", "script": script} | asked
    )


def _name(stage: Stage) -> str:
    return stage.name


def _dry_training(section: Sft | Dpo) -> Sft | Dpo:
    fields: dict[str, Any] = {"epochs": 0.01, "max_length": _ROOM, "threads": 1, "batch_size": 2, "accumulation": 1}
    fields |= {"machines": 1, "main_address": None}
    fields["trainer"] = None  # what its block said stands beside it
    fields["evaluate"] = None  # of so few rows none may be held back
    if isinstance(section.lora, Lora):
        fields["lora"] = section.lora.model_copy(update={"r": 4, "target_modules": "all-linear", "quantize": "none"})
    if isinstance(section, Dpo):
        fields["schedule"] = ()
        fields["rounds"] = section.loop and section.loop.model_copy(update={"most": min(section.loop.most, 2)})
    return section.model_copy(update=fields)


def _valid(recipe: Recipe, store: str, parts: dict[str, Any], what: str) -> Recipe:
    """The recipe with these parts, checked as if a person had written it."""
    own = {"store": store, "notify": (), "description": f"{what} {recipe.name}"}  # nobody is told of it
    own |= {"window": None, "fallbacks": ()}
    changed = recipe.model_copy(update=parts | own)
    return Recipe.model_validate(changed.model_dump(by_alias=True))
