"""Makes the import of transformers twice as fast in a process that only runs a model's forward pass."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import torch
import torch.distributed

_DYNAMO = "torch._dynamo"
_VMAP_HOOK = "torch._dynamo._trace_wrapped_higher_order_op"


def _unchanged(fn: Callable[..., Any] | None = None, *_: object, **__: object) -> Callable[..., Any]:
    return fn if fn is not None else _unchanged


def _no() -> bool:
    return False


@contextlib.contextmanager
def _replaced(owner: ModuleType, name: str, value: object) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextlib.contextmanager
def _without_dynamo() -> Iterator[None]:
    if _DYNAMO in sys.modules:
        yield
        return
    dynamo, hook = ModuleType(_DYNAMO), ModuleType(_VMAP_HOOK)
    # A package without submodules, whose functions are decorators that do nothing.
    for decorator in ("assume_constant_result", "allow_in_graph", "disable"):
        dynamo.__dict__[decorator] = _unchanged
    dynamo.__dict__["__path__"] = []
    hook.__dict__["TransformGetItemToIndex"] = contextlib.nullcontext
    sys.modules.update({_DYNAMO: dynamo, _VMAP_HOOK: hook})
    setattr(torch, dynamo.__name__.rpartition(".")[2], dynamo)
    try:
        yield
    finally:
        delattr(torch, "_dynamo")
        del sys.modules[_DYNAMO], sys.modules[_VMAP_HOOK]


@contextlib.contextmanager
def lean_imports() -> Iterator[None]:
    """While this is open, transformers' modules are imported without torch's compiler, torch.distributed and scipy.

    transformers' modelling code asks at import for torch.distributed's tensors, for scipy (a loss for object
    detection) and, by decorators that say "do not compile this" and one mask builder that is used under vmap only,
    for the whole of TorchDynamo with SymPy. None of them has a part in a forward pass on one CPU, and they take
    nearly half of 9.3 CPU-seconds (transformers 5.19, torch 2.13). All is put back on leaving, so that a later import
    of any of them finds the real one.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_without_dynamo())
        stack.enter_context(_replaced(torch.distributed, "is_available", _no))
        stack.enter_context(_replaced(torch.compiler, "disable", _unchanged))
        import transformers.utils
        import transformers.utils.import_utils

        stack.enter_context(_replaced(transformers.utils, "is_scipy_available", _no))
        stack.enter_context(_replaced(transformers.utils.import_utils, "is_scipy_available", _no))
        yield
