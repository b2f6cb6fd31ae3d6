"""Which engine serves a model on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from nightschool.recipe.models import Model, Serve

_GPU_NODES = ("/dev/nvidia0", "/dev/kfd")


def has_gpu() -> bool:
    """A device node of NVIDIA's or AMD's compute driver is there."""
    return any(Path(node).exists() for node in _GPU_NODES)


def resolve(model: Model, serve: Serve) -> str:
    """The model's engine with "auto" decided: URLs, a script, vllm where it and a GPU are found, else transformers."""
    wanted = model.engine or serve.engine
    if model.urls:
        return "endpoint"
    if model.script is not None and wanted in ("auto", "scripted"):
        return "scripted"
    if wanted != "auto":
        return wanted
    return "vllm" if has_gpu() and find_spec("vllm") else "transformers"
