"""Recipe section of the review: what the night does about rows that a person should decide."""

from __future__ import annotations

import re
from typing import Any

from pydantic import GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from nightschool.recipe.section import Clash, Section, execution

_MODE = r"^(wait|skip|until ([01]\d|2[0-3]):[0-5]\d)$"


class Review(Section):
    """People decide what the committee leaves open: `review: wait`, `review: skip`, `review: until 06:30`.

    When they do it changes nothing of what they decide, so the mode is no part of any key.
    """

    mode: str = execution(
        "skip", description="wait = for people; skip = go on without them; until 06:30 = wait until then, local time"
    )

    @model_validator(mode="before")
    @classmethod
    def _in_a_word(cls, value: Any) -> Any:
        return {"mode": value} if isinstance(value, str) else value

    @field_validator("mode")
    @classmethod
    def _is_one_of_three(cls, mode: str) -> str:
        if not re.fullmatch(_MODE, mode):
            raise Clash("is no way to wait for people", allowed="wait, skip, until HH:MM (such as until 06:30)")
        return mode

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "pattern": _MODE}, handler(core)]}
