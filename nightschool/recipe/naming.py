"""What a night may be called: its name becomes a folder, a run's name and a part of commands."""

from __future__ import annotations

import re

from nightschool.errors import RecipeError

_NIGHT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def is_night_name(name: str) -> bool:
    """Whether a night may be called so."""
    return _NIGHT.fullmatch(name) is not None


def night_name(name: str) -> str:
    """The same name.

    Raises:
        RecipeError: no night may be called so.
    """
    if is_night_name(name):
        return name
    allowed = "letters, digits, dot, dash and underline, 63 at most, a letter or digit first"
    raise RecipeError("a night is not called so", field="name", value=name, allowed=allowed)
