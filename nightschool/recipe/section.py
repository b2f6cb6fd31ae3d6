"""The base of every recipe section, and the line between identity and execution."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.fields import FieldInfo

from nightschool.errors import RecipeError
from nightschool.prompts import Prompt, load_prompt

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
# A path or an address: one line, of a length that a file system takes.
_MOST_PATH = 1024
Line = Annotated[str, StringConstraints(min_length=1, max_length=_MOST_PATH, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Temperature = Annotated[float, Field(ge=0.0, le=2.0)]
Positive = Annotated[int, Field(ge=1)]


class Clash(ValueError):
    """Fields that do not go together; `path` is the one to edit, seen from the section that found out.

    `secret`: what stands there is not to be shown.
    """

    def __init__(self, message: str, *path: str | int, allowed: str | None = None, secret: bool = False) -> None:
        super().__init__(message)
        self.path, self.allowed, self.secret = path, allowed, secret


def _read_prompt(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    if len(value) > _MOST_PATH:
        raise Clash("no file can be called so", allowed="a prompt file, named relative to the recipe")
    try:
        prompt = load_prompt(Path((info.context or {}).get("folder", ".")) / value)
    except RecipeError as err:
        raise Clash(str(err)) from None
    return prompt.model_copy(update={"file": value})


def fill(prompt: Prompt, given: set[str], needed: set[str]) -> Prompt:
    """Check that a phase can fill a prompt's placeholders, and that the prompt asks for what it must.

    Raises:
        Clash: a placeholder is unknown or malformed, or a needed one is not there.
    """
    parts = [Template(text) for text in (prompt.system, prompt.user) if text]
    allowed = "$" + ", $".join(sorted(given))
    if not all(part.is_valid() for part in parts):
        raise Clash("the prompt has a $ that begins no placeholder (write $$ for a dollar sign)", allowed=allowed)
    found = {name for part in parts for name in part.get_identifiers()}
    if found - given:
        raise Clash(f"the prompt has a placeholder unknown here: ${', $'.join(sorted(found - given))}", allowed=allowed)
    if needed - found:
        raise Clash(f"the prompt lacks ${', $'.join(sorted(needed - found))}", allowed=allowed)
    return prompt


def fill_answer(prompt: Prompt, *, choices: bool = True, draft: bool = False) -> Prompt:
    """`fill` for a prompt that asks for an answer, to be one of some choices or in free text.

    Args:
        draft: whether it may show one; what it needs must stand outside of the lines that do.
    """
    needed = {"question", "choices"} if choices else {"question"}
    fill(prompt, {"question", "choices", "topic"} | ({"draft"} if draft else set()), needed)
    fill(prompt.without_draft, {"question", "choices", "topic"}, needed)
    return prompt


PromptFile = Annotated[
    Prompt,
    BeforeValidator(_read_prompt),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "description": "prompt file, relative to the recipe"},
                Prompt.model_json_schema(),
            ]
        }
    ),
]


def execution(default: Any, **constraints: Any) -> Any:
    """A field that changes only the wall clock: no part of any key."""
    return Field(default, json_schema_extra={"execution": True}, **constraints)


class Section(BaseModel):
    """A part of a recipe: unknown keys refused, values fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def identity(self) -> dict[str, Any]:
        """The fields that decide results, JSON-ready; execution fields left out at every depth."""
        return {
            name: identity_of(getattr(self, name))
            for name, field in type(self).model_fields.items()
            if not is_execution(field)
        }


def is_execution(field: FieldInfo) -> bool:
    """Whether a field changes only the wall clock."""
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("execution"))


def identity_of(value: Any) -> Any:
    """What of a field's value decides results, JSON-ready."""
    if isinstance(value, (Section, Prompt)):
        return value.identity()
    if isinstance(value, (list, tuple)):
        return [identity_of(item) for item in value]
    if isinstance(value, dict):
        return {name: identity_of(item) for name, item in value.items()}
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
