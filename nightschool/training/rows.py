"""From a JSONL file to training rows, each checked before any model is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nightschool.errors import DataError
from nightschool.training.job import Stage, first_fault
from nightschool.wire import Message

Turns = Annotated[tuple[Message, ...], Field(min_length=1)]


class TrainingRow(BaseModel):
    """What both stages have in common: the conversation up to the turn that is learned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    prompt: Turns

    @property
    def endings(self) -> tuple[Turns, ...]:
        """What may follow the prompt; sft has one, dpo has chosen and rejected, in this order."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _assistant_speaks_last(self) -> TrainingRow:
        if self.prompt[-1].role == "assistant":
            raise ValueError("prompt ends with the assistant's turn, which is to be learned")
        for turns in self.endings:
            if turns[-1].role != "assistant" or not turns[-1].content.strip():
                raise ValueError("what is learned must end with a turn of the assistant that says something")
        return self


class SftRow(TrainingRow):
    """A prompt and the completion to imitate: TRL's prompt-completion columns."""

    completion: Turns

    @property
    def endings(self) -> tuple[Turns, ...]:
        return (self.completion,)


class DpoRow(TrainingRow):
    """A prompt, the better and the worse completion: TRL's preference columns."""

    chosen: Turns
    rejected: Turns

    @property
    def endings(self) -> tuple[Turns, ...]:
        return (self.chosen, self.rejected)

    @model_validator(mode="after")
    def _pair_differs(self) -> DpoRow:
        if self.chosen == self.rejected:
            raise ValueError("chosen and rejected are the same")
        return self


ROW_OF: dict[Stage, type[TrainingRow]] = {"sft": SftRow, "dpo": DpoRow}


def read_rows(path: Path, stage: Stage) -> list[TrainingRow]:
    """Read all rows of a file; row i stands on line i + 1.

    Raises:
        DataError: no such file, no rows, a line that is no JSON, lacks a column or has one too many: with its line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from error
    if not lines:
        raise DataError("no rows to train on", file=path)
    kind = ROW_OF[stage]
    rows: list[TrainingRow] = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(kind.model_validate_json(line))
        except ValidationError as error:
            raise DataError(first_fault(error), file=path, line=number) from error
    return rows
