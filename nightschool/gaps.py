"""How many rows a phase may lose to the world and still go on."""

from __future__ import annotations

from math import ceil


def allowed_rows(limit: float, rows: int) -> int:
    """The most rows of `rows` that may have failed: a limit below 1 is a share, rounded up; any other is a count.

    Rounded up, because a share of a small phase would allow nothing at all.
    """
    return ceil(limit * rows) if limit < 1 else int(limit)
