"""From a file's name in a recipe to its place, its digest and its rows: a file that changes is another file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from nightschool.errors import NightError
from nightschool.question_file import read_records
from nightschool.recipe.section import Clash, Section, execution


class DataFile(Section):
    """A file of rows as it was when the recipe was read; where it lies is no part of its identity."""

    path: str = execution(...)
    sha256: str
    rows: int = execution(..., ge=1)
    fields: tuple[str, ...] = execution((), description="fields of its first row")


def sha256_of(path: Path) -> str:
    """Digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _look(value: Any, info: ValidationInfo) -> Any:
    """A name becomes the file that it names; what a night wrote down is taken as it is."""
    if isinstance(value, dict):
        return {**value, "fields": tuple(value.get("fields", ()))}
    if not isinstance(value, str):
        return value
    beside = Path((info.context or {}).get("folder", ".")) / value
    path = (beside if beside.exists() else Path(value) if Path(value).exists() else beside).absolute()
    try:
        rows, first = 0, None
        for _, record in read_records(path):
            rows, first = rows + 1, first or record
        if not rows:
            raise Clash(f"{path} has no rows")
        return {"path": str(path), "sha256": sha256_of(path), "rows": rows, "fields": tuple(sorted(first or ()))}
    except OSError as err:
        raise Clash(f"{path} cannot be read: {err.strerror}", allowed="a .jsonl, .json or .csv file") from None
    except NightError as err:
        raise Clash(str(err)) from None


QuestionFile = Annotated[
    DataFile,
    BeforeValidator(_look),
    WithJsonSchema(
        {
            "type": "string",
            "description": "a .jsonl, .json (one list) or .csv file, relative to the recipe or to the current folder",
        }
    ),
    Field(description="questions that are there already"),
]
