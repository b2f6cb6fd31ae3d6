"""Errors, by who must act."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

# One screen, whoever wrote what is quoted.
_MOST_FIELD, _MOST_MESSAGE = 120, 4000


class NightError(Exception):
    """A failure that a person can read on one screen; every error of ours is one."""

    exit_code = 3


def _plain(field: str) -> str:
    """A field as one line of a screen can show it: whoever wrote the file chose its name."""
    shown = "".join(char if char.isprintable() else "?" for char in field[:_MOST_FIELD])
    return f"{shown}..." if len(field) > _MOST_FIELD else shown


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
        head = ": ".join(part for part in (where, _plain(field or "")) if part)
        text = f"{head}: {message:.{_MOST_MESSAGE}}" if head else f"{message:.{_MOST_MESSAGE}}"
        if value is not None:
            text += f" (got {json.dumps(value, ensure_ascii=False, default=repr):.200})"
        if allowed:
            text += f"; allowed: {allowed}"
        super().__init__(text)
        self.field = field


class RecipeErrors(RecipeError):
    """Several things to edit, one per line."""

    def __init__(self, errors: Sequence[RecipeError]) -> None:
        NightError.__init__(self, "\n".join(map(str, errors)))  # each of them is as long as it may be
        self.field, self.errors = None, tuple(errors)

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


class WindowClosed(NightError):
    """The night's window has closed: it stopped in order, and its next run goes on where it stopped."""

    exit_code = 4


class GateFailed(NightError):
    """The night is done and a gate did not hold."""

    exit_code = 1
