"""Which weights a stage trains: an adapter's, and of which kind, or all."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nightschool.recipe.section import Clash, Positive, Section
from nightschool.recipe.shapes import BY_SHAPE, MAPPING, NOTHING, WORD


class Lora(Section):
    """A low-rank adapter (arXiv 2106.09685)."""

    r: Positive = 16
    alpha: Positive = 32
    dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: str | tuple[str, ...] = Field(
        default="all-linear", description="all-linear, or the names of modules, as the model calls them"
    )
    dora: bool = Field(default=False, description="directions and lengths apart (arXiv 2402.09353); slower")
    rslora: bool = Field(default=False, description="scaled by alpha / sqrt(r) (arXiv 2312.03732), for a large r")
    quantize: Literal["none", "4bit"] = Field(
        default="none", description="4bit = QLoRA (arXiv 2305.14314): the weights below in NF4, on a CUDA device"
    )

    @model_validator(mode="after")
    def _names_modules(self) -> Lora:
        if not self.target_modules:
            raise Clash("an adapter of no module learns nothing", "target_modules", allowed="all-linear, or names")
        return self


# Left out = as the stage that is gone on from; from the base, an adapter with the defaults.
Weights = Annotated[
    Annotated[Lora, MAPPING] | Annotated[Literal["none"], WORD] | Annotated[None, NOTHING],
    BY_SHAPE,
    Field(description="an adapter; none = all weights are trained, for small models"),
]
