"""The base of every recipe section, and the line between identity and execution."""

from __future__ import annotations

from pathlib import Path
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

from nightschool.prompts import Prompt, load_prompt

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Temperature = Annotated[float, Field(ge=0.0, le=2.0)]
Positive = Annotated[int, Field(ge=1)]


def _read_prompt(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str):
        return load_prompt(Path((info.context or {}).get("folder", ".")) / value)
    return value


PromptFile = Annotated[
    Prompt,
    BeforeValidator(_read_prompt),
    WithJsonSchema({
        "anyOf": [{"type": "string", "description": "prompt file, relative to the recipe"}, Prompt.model_json_schema()]
    }),
]


def execution(default: Any, **constraints: Any) -> Any:
    """A field that changes only the wall clock: no part of any key."""
    return Field(default, json_schema_extra={"execution": True}, **constraints)


class Section(BaseModel):
    """A part of a recipe: unknown keys refused, values fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def identity(self) -> dict[str, Any]:
        """The fields that decide results, JSON-ready; execution fields left out at every depth."""
        return {
            name: _identity(getattr(self, name))
            for name, field in type(self).model_fields.items()
            if not (isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("execution"))
        }


def _identity(value: Any) -> Any:
    if isinstance(value, Section):
        return value.identity()
    if isinstance(value, (list, tuple)):
        return [_identity(item) for item in value]
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
