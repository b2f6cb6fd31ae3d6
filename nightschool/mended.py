"""What became of a row between its ruling and the lesson: its side, and what filters and balance did to it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Side = Literal["train", "validation", "test"]
# The sides that training may see: rows that are learned, and rows that a step is chosen by. The others only prove.
Seen = Literal["train", "validation"]


class Mended(BaseModel):
    """What balance and filters did to a row.

    `source`: id of the row that this one repeats. `letters`: the choices' old letters in their new order, "CADB".
    `spared`: reason for which a filter would have dropped it, had it not been told to keep such rows with less weight.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str | None = None
    letters: str | None = None
    spared: tuple[str, ...] = ()
