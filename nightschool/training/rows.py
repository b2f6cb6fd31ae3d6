"""From a JSONL file to training rows, each checked before any model is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError, model_validator

from nightschool.errors import DataError
from nightschool.leaks import Asked, Compared, compare
from nightschool.records import PreferenceRow, TaughtRow
from nightschool.training.job import Job, Stage, first_fault
from nightschool.wire import Message

R = TypeVar("R", bound=BaseModel)
Turns = tuple[Message, ...]


class SftRow(TaughtRow):
    """A prompt and the completion to imitate, fit to be learned."""

    @property
    def endings(self) -> tuple[Turns, ...]:
        """What may follow the prompt."""
        return (self.completion,)

    @model_validator(mode="after")
    def _fit(self) -> SftRow:
        _check(self.prompt, self.endings, self.weight)
        return self


class DpoRow(PreferenceRow):
    """A prompt, the better and the worse completion, fit to be learned."""

    @property
    def endings(self) -> tuple[Turns, ...]:
        """What may follow the prompt: chosen, rejected."""
        return (self.chosen, self.rejected)

    @model_validator(mode="after")
    def _fit(self) -> DpoRow:
        _check(self.prompt, self.endings, self.weight)
        if self.chosen == self.rejected:
            raise ValueError("chosen and rejected are the same")
        return self


TrainingRow = SftRow | DpoRow
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
    return list(_parsed(lines, ROW_OF[stage], path))


def read_asked(path: Path, rows: Sequence[TrainingRow]) -> list[Asked]:
    """What is asked later about each row.

    Raises:
        DataError: no such file, a line that cannot be read, or not one for each row.
    """
    asked = read_questions(path)
    if [one.id for one in asked] != [row.id for row in rows]:
        raise DataError(f"{len(asked)} rows that are not those that are trained on, which are {len(rows)}", file=path)
    return asked


def read_questions(path: Path) -> list[Asked]:
    """What is asked, and the answers.

    Raises:
        DataError: no such file, or a line that cannot be read.
    """
    try:
        return list(_parsed(path.read_bytes().splitlines(), Asked, path))
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from error


def look(job: Job, rows: Sequence[TrainingRow]) -> Compared | None:
    """Training's prompts beside what is asked later; None where the job does not say what that is.

    Raises:
        DataError: some give their answer away, and the job does not allow it; says how many, and the first.
    """
    if job.asked is None:
        return None
    found = compare(((row.id, row.prompt) for row in rows), read_asked(Path(job.asked), rows))
    if found.leaks and job.leaks == "refuse":
        raise DataError(found.told, file=job.rows)
    return found


def check_weights(job: Job, rows: Sequence[TrainingRow]) -> None:
    """That a loss which counts all pairs alike is given none that are to count for more or less.

    Raises:
        DataError: it is; names the first such row.
    """
    for line, row in enumerate(rows, start=1):
        if job.stage == "dpo" and not job.weighs and row.weight != 1.0:
            message = f"row {row.id}: weight is {row.weight:g}, and {', '.join(job.loss)} counts all pairs alike"
            raise DataError(f"{message}; train them with loss: [sigmoid]", file=job.rows, line=line)


def _parsed(lines: Iterable[bytes], kind: type[R], path: Path) -> Iterator[R]:
    for number, line in enumerate(lines, start=1):
        try:
            yield kind.model_validate_json(line)
        except ValidationError as error:
            raise DataError(first_fault(error), file=path, line=number) from error


def _check(prompt: Turns, endings: tuple[Turns, ...], weight: float) -> None:
    if not 0 < weight < float("inf"):
        raise ValueError(f"weight is {weight}: a row that is not to count is left out")
    if not prompt or prompt[-1].role == "assistant":
        raise ValueError("prompt must end with a turn that the assistant answers")
    for turns in endings:
        if not turns or turns[-1].role != "assistant" or not turns[-1].content.strip():
            raise ValueError("what is learned must end with a turn of the assistant that says something")
