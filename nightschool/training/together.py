"""What several processes of one stage have to agree on; one process agrees with itself at no cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import PartialState
from torch import distributed


def meet(*, cpu: bool) -> None:
    """Let the processes find each other; before anything here is called, and before a trainer is made."""
    PartialState(cpu=cpu, **({"backend": "gloo"} if cpu else {}))


def most_of(value: int, device: Any) -> int:
    """The largest that any of them has."""
    if not distributed.is_initialized():
        return value
    shared = torch.tensor(value, device=device)
    distributed.all_reduce(shared, distributed.ReduceOp.MAX)
    return int(shared)


def wait() -> None:
    """Until all have come here."""
    if distributed.is_initialized():
        distributed.barrier()


@contextmanager
def first_alone(*, first: bool) -> Iterator[None]:
    """The first one through the block before all others."""
    if not first:
        wait()
    yield
    if first:
        wait()
