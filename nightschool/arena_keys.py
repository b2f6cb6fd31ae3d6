"""From who plays in the arena, and who judges questions, to the keys of what they write, answer and say."""

from __future__ import annotations

from collections.abc import Mapping

from nightschool import arena, challenges, parsing, quality
from nightschool.keys import Keys, place
from nightschool.prompts import Prompt
from nightschool.recipe.arena import met, players_of, voters, writers
from nightschool.recipe.learning import Lesson
from nightschool.recipe.quality import judges_of
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.section import identity_of
from nightschool.recipe.stages import BASE
from nightschool.wire import Sampling


def is_stage(recipe: Recipe, name: str) -> bool:
    """Whether a model of the arena is the base or a stage of the student; it is a teacher or a rival else."""
    return recipe.learner is not None and name in (BASE, *(stage.name for stage in recipe.stages))


def prompt_of(recipe: Recipe, name: str, lesson: Lesson) -> Prompt:
    """How a model is asked for a question, or for an answer: a stage as it was taught, with the mark of its role."""
    assert recipe.questions is not None
    learner = recipe.learner
    if learner and name != BASE and is_stage(recipe, name):
        return learner.stage(name).prompts[lesson]
    if lesson == "questions":
        return recipe.questions.prompt
    return learner.student.prompt if learner and name == BASE else recipe.answers.prompt


def sampling_of(recipe: Recipe, name: str, lesson: Lesson) -> Sampling:
    """How its replies are drawn: questions as teachers write them, answers as each would give them.

    One each, but for teachers that vote with all of their samples.
    """
    assert recipe.questions is not None
    if lesson == "questions":
        return recipe.questions.sampling
    if recipe.learner and is_stage(recipe, name):
        student = recipe.learner.student
        return Sampling(temperature=student.temperature, top_p=student.top_p, max_tokens=student.max_tokens)
    several = recipe.committee.voters == "samples" and name in voters(recipe)
    return recipe.answers.sampling if several else recipe.answers.sampling.model_copy(update={"samples": 1})


def playing(
    keys: Keys, recipe: Recipe, models: Mapping[str, Mapping[str, object]], common: Mapping[str, object]
) -> None:
    """Names what every writer writes, and what every answerer and voter answers.

    Args:
        models: what makes each model answer as it does, by its name.
        common: what decides the rows of every phase.
    """
    section = recipe.arena
    if section is None:
        return
    rules = {"per_topic": section.per_topic, "truth": section.truth, "contest": identity_of(section.contest)}
    rules |= {"parsing": parsing.RULES_VERSION}
    players = players_of(recipe)
    for name in writers(players):
        parts = {**common, "section": rules, **_who(keys, recipe, models, name, "questions")}
        keys.name(f"challenges/{name}", challenges.RULES_VERSION, parts)
    answering = dict.fromkeys(one.answers for one in players)
    for name in (*answering, *(name for name in voters(recipe) if name not in answering)):
        written = [keys[f"challenges/{writer}"] for writer in met(players, name) or writers(players)]
        parts = {"seed": recipe.seed, "inputs": written, "parsing": parsing.RULES_VERSION}
        parts |= _who(keys, recipe, models, name, "answers")
        keys.name(f"arena/{name}", arena.RULES_VERSION, parts)


def judging(keys: Keys, recipe: Recipe, models: Mapping[str, Mapping[str, object]]) -> None:
    """Names what every judge of question quality says; of whose questions, see `nightschool.recipe.quality`."""
    section = recipe.quality
    if section is None:
        return
    phase = "challenges" if recipe.arena else "questions"
    compared = dict.fromkeys(name for one in section.compare for name in (one.ours, one.theirs))
    terms = section.identity() | {"models": [], "judges": [], "parsing": parsing.RULES_VERSION}
    parts = {"seed": recipe.seed, "section": terms, "inputs": [keys[f"{phase}/{name}"] for name in compared]}
    for name in judges_of(recipe):
        keys.name(f"quality/{name}", quality.RULES_VERSION, {**parts, "judge": models[name]})


def _who(
    keys: Mapping[str, str], recipe: Recipe, models: Mapping[str, Mapping[str, object]], name: str, lesson: Lesson
) -> dict[str, object]:
    """A model as it is asked for this."""
    found: dict[str, object] = {
        "prompt": prompt_of(recipe, name, lesson).identity(),
        "sampling": sampling_of(recipe, name, lesson).model_dump(mode="json"),
    }
    learner = recipe.learner
    if learner and is_stage(recipe, name):
        return found | {"model": models[learner.student.name], "weights": keys.get(place(learner, name))}
    return found | {"model": models[name]}
