"""What it means that two texts are nearly the same; `nightschool.sketches` finds them, and takes a second to import."""

from __future__ import annotations

from typing import NamedTuple

RULES_VERSION = 1


class Twin(NamedTuple):
    """The row that another is nearly the same as, and the share of their runs of words that agree, in [0, 1]."""

    id: str
    share: float
