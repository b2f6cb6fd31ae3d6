"""Recipe section of ensemble inference: who is asked, with which prompts and examples, in what time, and what for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from nightschool.categories import Category
from nightschool.contest import Contest, FileRules
from nightschool.contest_file import find_contest, load_contest
from nightschool.errors import RecipeError
from nightschool.prompts import Prompt
from nightschool.recipe.committee import Committee
from nightschool.recipe.data_file import Source
from nightschool.recipe.phases import Answers
from nightschool.recipe.section import Clash, Name, Positive, PromptFile, Section, Share, execution, fill
from nightschool.recipe.source import read_tree

if TYPE_CHECKING:
    from nightschool.recipe.recipe import Recipe

# The kind of file that a contest's rules must know.
SUBMISSION = "submission"
_CAN_SHOW = "$examples"


class Example(Section):
    """A problem with its solution, as a prompt shows it."""

    problem: str = Field(min_length=1)
    solution: str = Field(min_length=1)


def _read_examples(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(value)
    if not isinstance(value, str):
        return value
    try:
        found = read_tree(Path((info.context or {}).get("folder", ".")) / value).data
    except RecipeError as err:
        raise Clash(str(err)) from None
    if not isinstance(found, dict) or not isinstance(found.get("examples"), list):
        raise Clash(f"{value} has no list of examples", allowed="examples: [{problem: ..., solution: ...}]")
    return tuple(found["examples"])


def _read_contest(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, dict):
        # Read as JSON: here it is Python's already, in which no list is a tuple.
        return Contest.model_validate_json(json.dumps(value), strict=True)
    if not isinstance(value, str):
        return value
    try:
        return load_contest(find_contest(value, Path((info.context or {}).get("folder", "."))))
    except RecipeError as err:
        raise Clash(str(err)) from None


Examples = Annotated[
    tuple[Example, ...],
    Field(min_length=1),
    BeforeValidator(_read_examples),
    WithJsonSchema({"anyOf": [{"type": "string", "description": "file of examples, relative to the recipe"},
                              {"type": "array", "items": Example.model_json_schema()}]}),
]  # fmt: skip
ContestRules = Annotated[
    Contest,
    BeforeValidator(_read_contest),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]


class Budget(Section):
    """Time, in seconds; what is left out is not limited."""

    per_problem_s: float | None = Field(default=None, gt=0, description="most seconds for one problem")
    total_s: float | None = Field(default=None, gt=0, description="most seconds for all problems of one run")
    problems: Positive | None = Field(
        default=None, description="how many problems total_s is for; the file's number if left out"
    )
    fast: Name | None = Field(
        default=None, description="the model that is asked whatever time is left, and alone when it is short"
    )


class Predict(Section):
    """Answers to problems by an ensemble: every model under every template, voting by the rules of `committee`.

    Source: plan 003, phases 3.5 and 3.6 and its tips on time.
    """

    questions: Source | None = Field(default=None, description="the problems; the pool's file if left out")
    models: tuple[Name, ...] = Field(
        default=(), description="teachers, base, or stages of the student; all teachers if left out"
    )
    templates: dict[Name, PromptFile] = Field(min_length=1, description="prompts by name: every model gets each")
    examples: dict[Category, Examples] = Field(default={}, description="solved problems by category, for $examples")
    shots: int = Field(default=2, ge=0, le=16, description="examples that a prompt shows")
    rounds: int = Field(
        default=1, ge=1, le=64, description="how often all are asked at most; again while the committee is unsure"
    )
    enough: Share = Field(default=0.0, description="agreement below which another round is asked, though they accept")
    unsure: Literal["best", "stand_in"] = Field(
        default="best", description="what is handed in where the committee does not accept: its best guess, or stand_in"
    )
    stand_in: str = Field(default="0", min_length=1, description="what is handed in where there is no answer at all")
    verify: bool = Field(default=True, description="put answers into problems that allow it; a wrong one has no vote")
    contest: ContestRules | None = Field(
        default=None, description="a contest's rules, by name (configs/contests/) or file; answers keep to them"
    )
    sample: str | None = execution(None, min_length=1, description="its sample submission: columns, ids, their order")
    budget: Budget = Budget()
    at_once: int = execution(4, ge=1, le=256, description="problems side by side")

    @field_validator("templates")
    @classmethod
    def _can_be_filled(cls, templates: dict[str, Prompt]) -> dict[str, Prompt]:
        for name, prompt in templates.items():
            try:
                fill(prompt, {"question", "examples", "category", "draft"}, {"question"})
                fill(prompt.without_draft, {"question", "examples", "category"}, {"question"})
            except Clash as wrong:
                raise Clash(f"{name}: {wrong}", allowed=wrong.allowed) from None
        return templates

    @field_validator("sample")
    @classmethod
    def _is_there(cls, sample: str | None, info: ValidationInfo) -> str | None:
        if sample is None:
            return None
        beside = Path((info.context or {}).get("folder", ".")) / sample
        found = beside if beside.exists() else Path(sample)
        if not found.is_file():
            raise Clash("there is no such file")
        return str(found.absolute())

    @model_validator(mode="after")
    def _hangs_together(self) -> Predict:
        shown = [name for name, prompt in self.templates.items() if _CAN_SHOW in f"{prompt.system}{prompt.user}"]
        if shown and self.shots and not self.examples:
            raise Clash(f"{shown[0]} shows examples, and there are none", "examples", allowed="a file by category")
        if self.sample is not None and self.contest is None:
            raise Clash("a sample is read by a contest's rules", "sample", allowed="contest: aimo, or a file of rules")
        if self.contest is not None and SUBMISSION not in self.contest.files:
            raise Clash(f"{self.contest.name} has no rules of a {SUBMISSION}", "contest")
        if len(set(self.models)) < len(self.models):
            raise Clash("a model is named twice", "models")
        return self

    @property
    def rules(self) -> FileRules | None:
        """What a submission must be."""
        return self.contest.files[SUBMISSION] if self.contest else None

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The least and the greatest answer that the contest takes."""
        rule = self.rules.integer if self.rules else None
        return (rule.at_least, rule.at_most) if rule else None


class Voter(NamedTuple):
    """A model under a template: it has one vote."""

    model: str
    template: str

    @property
    def name(self) -> str:
        return f"{self.model}/{self.template}"


def models(recipe: Recipe) -> tuple[str, ...]:
    """Who is asked; nobody where there is no ensemble."""
    if recipe.predict is None:
        return ()
    return recipe.predict.models or tuple(teacher.name for teacher in recipe.teachers)


def voters(recipe: Recipe) -> tuple[Voter, ...]:
    """All voters, in the order of the recipe."""
    templates = recipe.predict.templates if recipe.predict else ()
    return tuple(Voter(model, template) for model in models(recipe) for template in templates)


def source(recipe: Recipe) -> Source:
    """Where the problems are from."""
    return (recipe.predict and recipe.predict.questions) or recipe.pool


def check(recipe: Recipe) -> None:
    """That an ensemble can do with a recipe what its section says.

    Raises:
        Clash: it can't; names the field to edit.
    """
    section = recipe.predict
    if section is None:
        return
    _is_read(section, recipe.answers, recipe.committee)
    stages = recipe.learner.measured if recipe.learner else ()
    known = (*(teacher.name for teacher in recipe.teachers), *stages)
    for place, name in enumerate(section.models):
        if name not in known:
            raise Clash("there is no such model", "predict", "models", place, allowed=", ".join(known))
    if section.budget.fast is not None and section.budget.fast not in (asked := models(recipe)):
        raise Clash("it is not in the ensemble", "predict", "budget", "fast", allowed=", ".join(asked))
    _drafts_are_shown(recipe, section)
    problems = source(recipe)
    if problems.file is None:
        raise Clash("there are no problems: name their file", "predict", "questions", allowed="file: problems.csv")
    if section.contest and problems.fields.names(problems.kind).id is None:
        raise Clash("a submission names each problem by its id: which field has it?", "predict", "questions",
                    allowed="fields: {id: id}")  # fmt: skip


def _drafts_are_shown(recipe: Recipe, section: Predict) -> None:
    """That a stage which learned with a draft in sight has one, and that nobody waits for a draft in vain."""
    reader = next((name for name in models(recipe) if recipe.learner and recipe.learner.draft_of(name)), None)
    showing = [name for name, prompt in section.templates.items() if prompt.shows_draft]
    if reader and not showing:
        raise Clash(f"{reader} answers with a draft in sight, and no template shows $draft", "predict", "templates",
                    allowed="a template with $draft")  # fmt: skip
    if showing and not reader:
        raise Clash("it shows $draft, and nobody in the ensemble has one", "predict", "templates", showing[0],
                    allowed="leave $draft out, or a stage with draft_of among the models")  # fmt: skip


def _is_read(section: Predict, answers: Answers, committee: Committee) -> None:
    """That votes come out of the replies."""
    if answers.reply != "text" or answers.value == "none":
        raise Clash("an ensemble votes with values out of free text: set answers.reply: text and answers.value",
                    "predict", allowed="answers.reply: text")  # fmt: skip
    if section.bounds and answers.value != "integer":
        raise Clash("the contest takes whole numbers", "answers", "value", allowed="integer")
    for name, prompt in section.templates.items() if committee.confidence == "stated" else ():
        if "confidence" not in f"{prompt.system}{prompt.user}".lower():
            raise Clash("the prompt does not ask for a confidence", "predict", "templates", name,
                        allowed="one that asks for it, or committee.confidence: votes, logprobs")  # fmt: skip
