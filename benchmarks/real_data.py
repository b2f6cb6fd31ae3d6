"""The real public data that some benchmarks and tests read: `../shared/data`, or the folder NIGHTSCHOOL_DATA names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(os.environ.get("NIGHTSCHOOL_DATA") or Path(__file__).parents[2] / "shared" / "data")


def missing(*names: str) -> str | None:
    """Why files can't be read; None if all are there."""
    lost = [name for name in names if not (FOLDER / name).is_file()]
    return f"{', '.join(lost)} not in {FOLDER} (NIGHTSCHOOL_DATA names another folder)" if lost else None


def rows(name: str) -> Iterator[dict[str, Any]]:
    """The records of a JSONL file of the data."""
    with (FOLDER / name).open("rb") as lines:
        yield from (orjson.loads(line) for line in lines if line.strip())
