"""Recipe section of the arena: who plays against whom, on how many questions, and who says what is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, ValidationInfo, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from nightschool.contest import Contest
from nightschool.contest_file import load_contest
from nightschool.errors import RecipeError
from nightschool.recipe.committee import voters_of
from nightschool.recipe.models import Model
from nightschool.recipe.section import Clash, Name, Positive, Section, execution
from nightschool.recipe.stages import BASE, Learner, Stage

if TYPE_CHECKING:
    from nightschool.recipe.recipe import Recipe

_QUESTIONS = "questions"


def _read_contest(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return Contest.model_validate_json(orjson.dumps(value), strict=True)  # as a resolved recipe has it
    try:
        return load_contest(Path((info.context or {}).get("folder", ".")) / value)
    except RecipeError as err:
        raise Clash(str(err)) from None


ContestFile = Annotated[
    Contest,
    BeforeValidator(_read_contest),
    WithJsonSchema({"type": ["string", "object"], "description": "file of rules, relative to the recipe"}),
]


class Player(Section):
    """A team of two: the model that writes its questions, and the one that answers its opponents'.

    A name alone plays both parts: `base` is {name: base, writes: base, answers: base}.
    """

    name: Name
    writes: Name = Field(description="base, a stage, a teacher or a rival")
    answers: Name = Field(description="base, a stage, a teacher or a rival")

    @model_validator(mode="before")
    @classmethod
    def _in_a_word(cls, value: Any) -> Any:
        return dict.fromkeys(("name", "writes", "answers"), value) if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "description": "plays both parts"}, handler(core)]}


class Arena(Section):
    """Matches of question writers against answerers, everyone against everyone, once the student is finished.

    Source: plan 000, "Competition"; plan 001, "Competition Scoring Breakdown".
    """

    players: tuple[Player, ...] = Field(
        default=(), description="left out: the base, and every stage that answers, beside the last one that writes"
    )
    rivals: tuple[Model, ...] = Field(
        default=(), description="models that play and teach nothing: endpoints, other nights' packages, other sizes"
    )
    per_topic: Positive = Field(default=25, description="questions that each writes on each topic")
    questions: int = Field(default=20, ge=1, le=200, description="of each side in one match, for the odds of a win")
    truth: Literal["solver", "committee"] = Field(
        default="solver",
        description="committee: where the solver cannot read a question, the teachers that do not play vote, by the "
        "committee's quorum and min_agreement, with all samples of each where it has voters: samples; by solver alone "
        "such a question is invalid",
    )
    contest: ContestFile | None = Field(default=None, description="whose rules of questions hold as well")
    chunk_rows: Positive = 200
    chunks_in_flight: int = execution(16, ge=1, le=64, description="chunks that are asked for side by side")

    @model_validator(mode="after")
    def _contest_has_questions(self) -> Arena:
        if self.contest and _QUESTIONS not in self.contest.files:
            raise Clash(f"{self.contest.name} has no rules of {_QUESTIONS}", "contest",
                        allowed=f"a contest with files.{_QUESTIONS}")  # fmt: skip
        return self


def players_of(recipe: Recipe) -> tuple[Player, ...]:
    """Who plays, in order, nothing left out; nobody where there is no arena."""
    if recipe.arena is None or recipe.arena.players:
        return recipe.arena.players if recipe.arena else ()
    learner = recipe.learner
    if learner is None:
        return tuple(_alone(model.name) for model in recipe.teachers + recipe.arena.rivals)
    stages = [Player(name=name, writes=_writer(learner, name), answers=name) for name in learner.measured[1:]]
    return (_alone(BASE), *stages, *(_alone(model.name) for model in recipe.arena.rivals))


def writers(players: Sequence[Player]) -> tuple[str, ...]:
    """Every model that writes questions, once."""
    return tuple(dict.fromkeys(one.writes for one in players))


def met(players: Sequence[Player], answerer: str) -> tuple[str, ...]:
    """The writers whose questions a model must answer for the players that it answers for."""
    mine = [one for one in players if one.answers == answerer]
    return tuple(dict.fromkeys(other.writes for one in mine for other in players if other is not one))


def voters(recipe: Recipe) -> tuple[str, ...]:
    """The teachers that vote on what the solver cannot read: those that do not play."""
    if recipe.arena is None or recipe.arena.truth == "solver":
        return ()
    playing = {name for one in players_of(recipe) for name in (one.writes, one.answers)}
    return tuple(teacher.name for teacher in recipe.teachers if teacher.name not in playing)


def check(recipe: Recipe) -> None:
    """Whether matches can be played, and somebody can say what is right.

    Raises:
        Clash: with the field to edit.
    """
    section = recipe.arena
    if section is None:
        return
    if recipe.questions is None or recipe.answers.reply != "letter":
        raise Clash("players write questions with choices and answer by letter", "arena",
                    allowed="a questions section, and answers.reply: letter")  # fmt: skip
    stages = [BASE, *(stage.name for stage in recipe.stages if not stage.passing)] if recipe.learner else []
    others = [model.name for model in (*recipe.teachers, *section.rivals)]
    if both := [name for name in others if name in stages]:
        raise Clash(f"{both[0]} is a model and a stage: nobody could tell who plays", "arena",
                    allowed="names that differ")  # fmt: skip
    players = players_of(recipe)
    twice = [name for name, count in Counter(one.name for one in players).items() if count > 1]
    if len(players) < 2 or twice:
        wrong = f"named more than once: {', '.join(twice)}" if twice else "nobody to play against"
        raise Clash(wrong, "arena", "players", allowed="two players or more, each with its own name")
    for place, one in enumerate(players):
        for part in ("writes", "answers"):
            if getattr(one, part) not in (*stages, *others):
                raise Clash(f"{getattr(one, part)} is no stage and no model", "arena", "players", place, part,
                            allowed=", ".join((*stages, *others)))  # fmt: skip
    found = voters_of(recipe.committee, recipe.answers, len(voters(recipe)))
    if section.truth == "committee" and found < recipe.quorum:
        message = f"those who do not play have {found} votes, and the committee needs {recipe.quorum}"
        raise Clash(message, "arena", "truth",
                    allowed="solver, or fewer teachers among the players")  # fmt: skip


def _alone(name: str) -> Player:
    return Player(name=name, writes=name, answers=name)


def _writer(learner: Learner, name: str) -> str:
    """The last stage up to this one that learned to write questions; the base where none did."""
    before: list[Stage] = []
    for stage in learner.stages:
        before += [] if stage.passing else [stage]
        if stage.name == name:
            break
    return next((stage.name for stage in reversed(before) if "questions" in stage.teaches), BASE)
