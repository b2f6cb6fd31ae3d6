"""Whether a recipe's models can be served: by their engines, on its devices, with room for what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.placement import NoRoom, deal, flaw
from nightschool.recipe.models import Model, want
from nightschool.recipe.placed import placed
from nightschool.recipe.section import Clash
from nightschool.tinymodels.spec import CONTEXT, runs

if TYPE_CHECKING:
    from nightschool.recipe.recipe import Recipe

_SCHOOL = "school:"


def check(recipe: Recipe) -> None:
    """Refuse a model that no engine can serve as the recipe has it.

    Raises:
        Clash: with the field to edit.
    """
    for model, path in placed(recipe):
        engine = model.engine or recipe.serve.engine
        if engine == "endpoint" and not model.urls:
            raise Clash("engine endpoint needs urls", *path)
        if engine != "scripted" and model.script is not None:
            raise Clash(f"a script is for engine scripted, not {engine}", *path, "script")
        if model.model.startswith(_SCHOOL):
            _is_made(recipe, model, *path)
    _devices_can_be_dealt(recipe)
    _replies_fit(recipe)


def _is_made(recipe: Recipe, model: Model, *path: str | int) -> None:
    if not recipe.school:
        raise Clash("a model is school:NAME but there is no school section", *path, "model")
    made = [f"{_SCHOOL}{each}" for run in runs(recipe.school) for each in run.models]
    if model.model not in made:
        raise Clash("the school makes no such model", *path, "model", allowed=", ".join(made))
    room = model.max_model_len or recipe.serve.max_model_len or 0
    if room > CONTEXT and (model.engine or recipe.serve.engine) not in ("scripted", "endpoint"):
        where = (*path, "max_model_len") if model.max_model_len else ("serve", "max_model_len")
        raise Clash(f"{model.model} has a context of {CONTEXT:,} tokens", *where, allowed=f"at most {CONTEXT}")


def _devices_can_be_dealt(recipe: Recipe) -> None:
    for model, path in placed(recipe):
        if wrong := flaw(want(model, recipe.serve)):
            where = (*path, "gpus") if model.gpus is not None else ("serve", "gpus")
            raise Clash(wrong, *where, allowed="a group of all the devices of a replica for each of them")
    named = [want(teacher, recipe.serve) for teacher in recipe.teachers]
    named = [one for one in named if one.groups]
    if recipe.serve.placement == "side_by_side":
        try:
            deal(named, sorted({device for one in named for device in one.pool or ()}))
        except NoRoom:
            message = "teachers that are up side by side name the same devices"
            raise Clash(message, "serve", "placement", allowed="sequential, auto, or other gpus") from None


def _replies_fit(recipe: Recipe) -> None:
    student = (recipe.student,) if recipe.student else ()
    asking = [("questions", recipe.questions, recipe.teachers), ("answers", recipe.answers, recipe.teachers),
              ("pairs", recipe.pairs, student), ("student", recipe.student, student)]  # fmt: skip
    for name, section, models in asking:
        for model in models if section else ():
            room = model.max_model_len or recipe.serve.max_model_len
            if room and section and section.max_tokens >= room:
                message = f"{section.max_tokens} leaves no room for the prompt: {model.name} has {room} in all"
                raise Clash(message, name, "max_tokens", allowed=f"less than {room}")
