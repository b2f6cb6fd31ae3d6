"""What a stage wants beyond torch is refused with its reason where it cannot be had."""

from __future__ import annotations

from typing import Any

import pytest

from nightschool.recipe.learning import Sft
from nightschool.recipe.lora import Lora
from nightschool.training.needs import lacking

WANTS: dict[str, tuple[dict[str, Any], str]] = {
    "lora.quantize": ({"lora": Lora(quantize="4bit")}, "bitsandbytes"),
    "optimizer": ({"optimizer": "adamw_8bit"}, "bitsandbytes"),
    "liger": ({"liger": True}, "liger_kernel"),
}


@pytest.mark.parametrize("field", WANTS)
def test_each_wants_a_device_and_a_package(field: str) -> None:
    given, package = WANTS[field]
    section = Sft(learning_rate=1e-4, **given)
    lora = section.lora if isinstance(section.lora, Lora) else None

    def lacks(*, cuda: bool, installed: bool) -> list[tuple[str, str]]:
        found = lacking(section, lora, cuda=cuda, has=lambda name: installed and name == package)
        return [(lack.field, lack.why) for lack in found]

    assert lacks(cuda=True, installed=True) == []
    [(named, why)] = lacks(cuda=False, installed=True)
    assert (named, "needs a CUDA device, and there is none here" in why) == (field, True)
    [(named, why)] = lacks(cuda=True, installed=False)
    assert (named, f"needs the package {package}, which is not installed" in why) == (field, True)


def test_a_plain_stage_wants_nothing() -> None:
    assert not list(lacking(Sft(learning_rate=1e-4), Lora(), cuda=False, has=lambda _: False))
