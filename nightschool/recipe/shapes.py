"""Fields that may be written short: one thing instead of a list, a word instead of a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, Discriminator, GetCoreSchemaHandler, Tag
from pydantic_core import CoreSchema, core_schema

from nightschool.prompts import Prompt

_ONE, _MORE, _WORD, _NOTHING = "one", "more", "word", "nothing"


def _shape(value: Any) -> str:
    """How a value is written; a prompt is a word, though its text makes a mapping of it in a resolved recipe."""
    if isinstance(value, Prompt) or (isinstance(value, Mapping) and "user" in value):
        return _WORD
    if isinstance(value, (Mapping, BaseModel)):
        return _ONE
    return _MORE if isinstance(value, (list, tuple)) else _NOTHING if value is None else _WORD


# Between these two pydantic chooses by what is written, so that an error is told once, for the one that was meant.
MAPPING, WORD, NOTHING, BY_SHAPE = Tag(_ONE), Tag(_WORD), Tag(_NOTHING), Discriminator(_shape)


class OneOrMore:
    """Annotates a `tuple[Section, ...]`: a recipe may give one mapping instead of a list of one, or nothing."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        section = get_args(source)[0]
        choices = {_ONE: handler.generate_schema(section), _MORE: handler(source), _NOTHING: core_schema.none_schema()}
        union = core_schema.tagged_union_schema(choices, _shape)
        return core_schema.no_info_after_validator_function(_all, union)


def _all(value: Any) -> tuple[Any, ...]:
    return () if value is None else value if isinstance(value, tuple) else (value,)
