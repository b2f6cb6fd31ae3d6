"""What a stage wants of the machine and its packages beyond torch, and why it cannot be had; readable without torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from nightschool.recipe.learning import Training
from nightschool.recipe.lora import Lora

# accelerate 1.15 counts one process where there are several without a GPU (measured: its gathering fails).
NO_DEEPSPEED = "deepspeed needs a CUDA device, and there is none here"


@dataclass(frozen=True, slots=True)
class Lack:
    """A field of a stage that this machine cannot honour, why, and what to do."""

    field: str
    why: str
    mend: str


def lacking(
    section: Training,
    lora: Lora | None,
    *,
    cuda: bool,
    has: Callable[[str], bool] = lambda package: find_spec(package) is not None,
) -> Iterator[Lack]:
    """Everything that cannot be had.

    Args:
        lora: the adapter that is trained, as it came out.
        cuda: whether there is a CUDA device.
        has: whether a package is installed, by the name that it is imported by.
    """
    wanted = [
        ("lora.quantize", "4bit", lora is not None and lora.quantize == "4bit", "bitsandbytes", "quantize: none"),
        ("optimizer", section.optimizer, section.optimizer == "adamw_8bit", "bitsandbytes", "optimizer: adamw"),
        ("liger", "liger kernels", section.liger, "liger_kernel", "liger: false"),
    ]
    for field, what, asked, package, instead in wanted:
        if asked and not cuda:
            yield Lack(field, f"{what} needs a CUDA device, and there is none here", instead)
        elif asked and not has(package):
            yield Lack(
                field, f"{what} needs the package {package}, which is not installed", f"{instead}, or install it"
            )
