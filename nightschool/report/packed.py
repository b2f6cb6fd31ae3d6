"""A stage as it was packed, for the report."""

from __future__ import annotations

from nightschool.report.proof import Figure


class Packed(Figure):
    """A stage as it was packed: its folder, the zip beside it, bytes without the zip, and what licences say."""

    stage: str
    folder: str
    zip: str | None
    bytes: int
    forms: tuple[str, ...]
    warnings: tuple[str, ...] = ()
