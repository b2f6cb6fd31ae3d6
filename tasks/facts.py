"""What a night's folder says of it beside its recipe."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

from nightschool.errors import DataError


class Facts(BaseModel):
    """What night.json has beside the recipe: as in `Night`, with keys by place and the versions of rules by phase."""

    name: str
    engines: dict[str, str]
    keys: dict[str, str]
    rules: dict[str, int]
    accepted: dict[str, str]
    pins: dict[str, str]


def facts_in(folder: Path) -> Facts:
    """What is on file of the night in this folder.

    Raises:
        DataError: another version of this program wrote it.
    """
    file = folder / "night.json"
    try:
        return Facts.model_validate_json(file.read_bytes())
    except ValidationError:
        raise DataError("another version of nightschool began this night: run its recipe again", file=file) from None
