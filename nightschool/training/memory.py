"""A training that does not fit into memory: how it is known, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nightschool.errors import DataError, WorldError
from nightschool.training.batches import Layout, mixes_rows
from nightschool.training.job import Job

# What torch's allocator for main memory, oneDNN and C++ itself say; a GPU's has an exception of its own.
_SAID = ("can't allocate memory", "out of memory", "std::bad_alloc", "could not create a memory object")


class OutOfMemory(WorldError):
    """It did not fit; `layout` is how its rows were laid out."""

    def __init__(self, message: str, layout: Layout) -> None:
        super().__init__(message)
        self.layout = layout


@contextmanager
def within_memory(layout: Layout) -> Iterator[None]:
    """What torch says of memory that is not there becomes `OutOfMemory`.

    Raises:
        OutOfMemory: the block needs more memory than there is.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(_first_line(error), layout) from error
    except RuntimeError as error:
        if not any(said in str(error).lower() for said in _SAID):
            raise
        raise OutOfMemory(_first_line(error), layout) from error


def smaller(error: OutOfMemory, job: Job) -> Layout:
    """The same step with half as many rows at a time.

    Raises:
        DataError: one row at a time does not fit either, or the loss would be another one; says what to change.
    """
    mixing = mixes_rows(job) if job.stage == "dpo" else None
    if error.layout.micro == 1:
        less = "" if job.gradient_checkpointing else "gradient_checkpointing: true, "
        raise DataError(
            f"out of memory with one row at a time: {less}a smaller max_length (now {job.max_length}), lora.r or "
            f"model, or a larger device ({error})"
        ) from error
    if mixing:
        raise DataError(
            f"out of memory with {error.layout.micro} rows at a time, over which {mixing} takes its mean: halve "
            f"batch_size and double accumulation, which makes it a mean over fewer rows ({error})"
        ) from error
    return error.layout.halved()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
