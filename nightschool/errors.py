"""Errors, by who must act."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path


class NightError(Exception):
    """A failure that a person can read on one screen; every error of ours is one."""

    exit_code = 3


class RecipeError(NightError):
    """Edit the recipe: names file, field path, value and what is allowed."""

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        field: str | None = None,
        value: object = None,
        allowed: str | None = None,
    ) -> None:
        where = f"{file}:{line}" if line else str(file or "")
        head = ": ".join(part for part in (where, field) if part)
        text = f"{head}: {message}" if head else message
        if value is not None:
            text += f" (got {json.dumps(value, ensure_ascii=False, default=repr):.200})"
        if allowed:
            text += f"; allowed: {allowed}"
        super().__init__(text)
        self.field = field


class RecipeErrors(RecipeError):
    """Several things to edit, one per line."""

    def __init__(self, errors: Sequence[RecipeError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = tuple(errors)

    def __reduce__(self) -> tuple[type[RecipeErrors], tuple[Sequence[RecipeError]]]:
        """Pickled by its parts: from another process it came as one line for each letter."""
        return type(self), (self.errors,)


class DataError(NightError):
    """Look at a file: names it and the line."""

    exit_code = 2

    def __init__(self, message: str, *, file: str | Path | None = None, line: int | None = None) -> None:
        where = f"{file}:{line}" if line else str(file or "")
        super().__init__(f"{where}: {message}" if where else message)


class Pruned(DataError):
    """A trial of a search that falls behind the others: nothing is wrong with it, and it goes no further."""


class Refused(NightError):
    """What is asked for would mix rows or could never be right: says what to do instead."""

    exit_code = 2


class WorldError(NightError):
    """Something outside failed (a server, a disk, a process): try again."""


class BudgetSpent(WorldError):
    """The money set aside for a model is spent: raise its budget to go on; asking again at once can't help."""


class OutOfTime(WorldError):
    """The time set aside for it is over: what came until then is on file."""


class Stopped(NightError):
    """The night was told to end: what was under way is on file, nothing new is begun."""

    exit_code = 130

    def __init__(self, message: str = "Stopped. The same command goes on where it stopped.") -> None:
        super().__init__(message)


class GateFailed(NightError):
    """The night is done and a gate did not hold."""

    exit_code = 1
