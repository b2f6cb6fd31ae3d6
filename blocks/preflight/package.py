"""Whether the forms in which the student is to be packed can be made here, and given away."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from blocks import machine
from blocks.devices import Gpu
from blocks.preflight.check import Check, fail, ok, warn
from nightschool.licences import warnings
from nightschool.recipe.recipe import Recipe

# What makes the weights smaller, and how it comes.
_MAKERS = {"nf4": ("bitsandbytes", "bitsandbytes"), "fp8": ("llmcompressor", "llmcompressor")}


def package_checks(recipe: Recipe) -> list[Check]:
    """Quantised weights want a CUDA device and a library; what teachers' licences say is said before they teach."""
    if recipe.package is None:
        return []
    told = [line.replace("**", "") for line in warnings(recipe)]
    licences = [warn("licence", line, "another teacher, or keep what learns from it to yourself") for line in told]
    if "quantised" not in recipe.package.forms:
        return licences
    return [*licences, quantised_check(recipe.package.quantise, machine.gpus())]


def quantised_check(method: str, found: Sequence[Gpu]) -> Check:
    """Whether weights can be made smaller by this method on these devices.

    There is no way without CUDA: torch's int8 for CPUs is a form that no server loads.
    """
    title, (module, extra) = f"package quantised ({method})", _MAKERS[method]
    if not any(gpu.vendor == "nvidia" for gpu in found):
        return fail(title, "wants a CUDA device, and there is none here", "leave quantised out of package.forms")
    if find_spec(module) is None:
        return fail(title, f"{module} is not installed", f"install {extra}, or leave quantised out of package.forms")
    return ok(title, module)
