"""From a ruling to its class and stratum: the answer, the topic, or any field that its question came with."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from nightschool.records import Ruling
from nightschool.ruling_line import RulingLine

# What every question has; any other name is a field of the file that the questions came from.
OF_ALL = ("answer", "topic", "source", "level")
NONE = "(none)"


def value_of(ruling: Ruling | RulingLine, field: str) -> str:
    """The value of one field as a class is called; "(none)" where the row has none.

    The answer of a row that was not accepted is what is known of it: the truth, else what the votes say. So a filter's
    classes can be counted on both sides of it.
    """
    question = ruling.question
    if field == "answer":
        return ruling.answer or question.truth or question.answer or ruling.vote or NONE
    if field in ("topic", "source", "level"):
        return getattr(question, field) or NONE
    value = question.fields.get(field)
    if value is None or value == "":
        return NONE
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def class_of(ruling: Ruling | RulingLine, fields: Sequence[str]) -> str:
    """The combination of the fields' values, such as "seating / B"; "" for no fields."""
    return " / ".join(value_of(ruling, field) for field in fields)
