"""What the merging of one stage is asked to do and says of itself, readable without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nightschool.wire import Message


class MergeJob(BaseModel):
    """A model's folder or hub name, and the adapter that is put into it; None for a model that is whole already.

    `prompts` are asked of both, to see that they say the same. `output` and `quantised` (a folder for the model in
    fewer bits, None for none) are overwritten.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(min_length=1)
    adapter: str | None
    dtype: Literal["auto", "float32", "bfloat16", "float16"]
    prompts: tuple[tuple[Message, ...], ...] = Field(min_length=1)
    output: str = Field(min_length=1)
    quantised: str | None = None
    method: Literal["nf4", "fp8"] = "nf4"
    threads: int = Field(default=2, ge=1)


class Alike(BaseModel):
    """How far two models are apart on the tokens of the prompts: Kullback-Leibler divergence in nats, mean and largest
    over positions, and the share of positions at which both have the same first choice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    positions: int
    mean: float
    largest: float
    same_choice: float


class Merged(BaseModel):
    """What came of it: dtype of the weights on disk, what the adapter `changed` in nats, the merged model against base
    with adapter, the quantised one against the merged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: str
    changed: float | None = None
    merged: Alike
    quantised: Alike | None = None
    method: str | None = None
    seconds: float
