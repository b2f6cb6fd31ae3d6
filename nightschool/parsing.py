"""From a reply's text to a record, under limits: model output is untrusted text."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

# Includes nightschool.retake: what is asked again changes rows as much as how they are read.
RULES_VERSION = 2

Reason = Literal["not_json", "wrong_shape", "too_long", "truncated"]
Record = TypeVar("Record", bound=BaseModel)

# They bound the time that a hostile text can take: places where an object may begin, nesting of one, and characters
# that are read one by one in search of Python's notation.
_MAX_STARTS = 64
_MAX_DEPTH = 32
_MAX_PYTHON_CHARS = 40_000
# Repair takes time by openings times characters: 20 s for 20,000 characters of `{"`.
_MAX_REPAIR_OPENINGS = 64
_DETAIL_CHARS = 300

_START = re.compile(r"""\[\s*\{|\{\s*["'}]""")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a text is no record: `reason` is a counter's name, `detail` is for a person."""

    reason: Reason
    detail: str


def parse_json(
    text: str, model: type[Record], *, max_chars: int = 20_000, finish: str = "stop", repair: bool = False
) -> Record | Rejected:
    """Read the first object in a text that fits the model.

    Code fences and prose around the object, a list of one object, and Python's notation are accepted.

    Args:
        finish: the server's finish_reason; "length" means that the text was cut off, so it is no answer.
        repair: mend JSON with missing quotes, commas or brackets, if what comes out fits the model. Never where the
            format itself is measured.
    """
    if finish == "length":
        return Rejected("truncated", f"cut off after {len(text)} characters")
    if len(text) > max_chars:
        return Rejected("too_long", f"{len(text)} characters, at most {max_chars}")
    with suppress(ValidationError):
        return model.model_validate_json(text)  # what guided decoding gives: a quarter of the time of the search below
    misfit: str | None = None
    for value in chain(_values(text), _repaired(text) if repair else ()):
        try:
            record = model.model_validate(_only(value))
            # Half a surrogate pair is a legal escape and can't be written to any file.
            record.model_dump_json()
        except ValidationError as err:
            misfit = misfit or _first_error(err)
        except PydanticSerializationError as err:
            misfit = misfit or str(err)[:_DETAIL_CHARS]
        else:
            return record
    if misfit is not None:
        return Rejected("wrong_shape", misfit)
    return Rejected("not_json", f"no object in {text[:80]!r}")


def split_reasoning(text: str) -> tuple[str, str | None]:
    """Part a reply into its answer and its <think> block, if it has one.

    A template may have opened the block in the prompt, so a closing tag alone ends it; one that never ends leaves no
    answer.
    """
    opened = text.lstrip().startswith("<think>")
    before, closed, after = text.partition("</think>")
    if not opened and not closed:
        return text, None
    reasoning = before.lstrip().removeprefix("<think>").strip()
    return after.lstrip(), reasoning or None


def _values(text: str) -> Iterator[object]:
    """What can be read at each place where an object may begin, left to right, never inside one already read."""
    position, python_until = 0, _MAX_PYTHON_CHARS
    for _ in range(_MAX_STARTS):
        found = _START.search(text, position)
        if found is None:
            return
        start = found.start()
        read = _read_json(text, start)
        if read is None and "'" in text:
            end = _balanced_end(text, start, min(len(text), start + python_until))
            python_until -= (end or len(text)) - start
            read = _read_python(text, start, end) if end else None
        if read is None:
            position = start + 1
        else:
            value, position = read
            yield value


def _repaired(text: str) -> Iterator[object]:
    """What a lenient reader makes of the text from its first brace on, if anything."""
    start = text.find("{")
    if start < 0 or sum(map(text.count, "{[(")) > _MAX_REPAIR_OPENINGS:
        return
    import json_repair  # 0.1 s, and most nights never need it

    # It gives up on deep nesting by ValueError.
    with suppress(ValueError, RecursionError):
        yield json_repair.loads(text[start:], skip_json_loads=True)


def _read_json(text: str, start: int) -> tuple[object, int] | None:
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None


def _read_python(text: str, start: int, end: int) -> tuple[object, int] | None:
    """A dict in Python's notation; literals only, nothing is evaluated."""
    try:
        return ast.literal_eval(text[start:end]), end
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _balanced_end(text: str, start: int, limit: int) -> int | None:
    """Where the brackets opened at `start` are closed; None if not before `limit`, or if nested too deep."""
    depth, quote, index = 0, "", start
    while index < limit:
        char = text[index]
        if quote:
            index += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        else:
            depth += (char in "{[(") - (char in "}])")
            if not 0 < depth <= _MAX_DEPTH:
                return None if depth else index + 1
        index += 1
    return None


def _only(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _first_error(err: ValidationError) -> str:
    first = err.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}"[:_DETAIL_CHARS]
