"""Recipe sections that name models: how they are served, who teaches, who learns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from nightschool.prompts import Prompt
from nightschool.recipe.script import Script
from nightschool.recipe.section import (
    Clash,
    Name,
    Positive,
    PromptFile,
    Section,
    Share,
    Temperature,
    execution,
    fill_answer,
)

Engine = Literal["auto", "vllm", "transformers", "endpoint", "scripted"]


class Serve(Section):
    """How model servers are started; a model may override any of it."""

    engine: Engine = Field(default="auto", description="auto = vllm where it and a GPU are found, else transformers")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    max_model_len: Positive | None = Field(default=None, description="tokens of prompt and reply together")
    concurrency: int = execution(32, ge=1, le=4096, description="requests in flight per server")
    threads: int = execution(1, ge=1, description="CPU threads per server")
    startup_timeout_s: float = execution(300.0, gt=0)
    request_timeout_s: float = execution(120.0, gt=0)
    attempts: int = execution(5, ge=1, le=20, description="tries per request before its row is dropped")
    tensor_parallel: int = execution(1, ge=1)
    gpu_memory_utilization: float | None = execution(None, gt=0, le=1)
    gpus: tuple[int, ...] = execution((), description="device numbers; empty = all")
    extra_args: tuple[str, ...] = execution((), description="passed on to vllm as they are")


class Model(Section):
    """A model by name: a hub id, a folder, or school:NAME for one that this night makes."""

    name: Name
    model: Annotated[str, Field(min_length=1)]
    engine: Engine | None = Field(default=None, description="overrides serve.engine")
    urls: tuple[str, ...] = execution((), description="engine endpoint: base URLs ending in /v1")
    key_env: str | None = execution(None, pattern=r"^[A-Z_][A-Z0-9_]*$", description="variable that holds the API key")
    max_model_len: Positive | None = None
    concurrency: int | None = execution(None, ge=1)
    tensor_parallel: int | None = execution(None, ge=1)
    gpus: tuple[int, ...] = execution(())
    extra_args: tuple[str, ...] = execution(())
    script: Script | None = Field(default=None, description="engine scripted: how the server behaves")

    @model_validator(mode="after")
    def _urls_belong_to_endpoints(self) -> Model:
        if self.engine == "endpoint" and not self.urls:
            raise Clash("engine endpoint needs urls")
        if self.urls and self.engine not in (None, "endpoint"):
            raise Clash(f"urls are for engine endpoint, not {self.engine}", "urls")
        if any(not url.startswith(("http://", "https://")) for url in self.urls):
            raise Clash("urls must begin with http:// or https://", "urls")
        return self


class Student(Model):
    """The model that learns, and the conditions it is served under: one prompt in training, sampling and tests."""

    prompt: PromptFile
    temperature: Temperature = 0.7
    top_p: Share = 1.0
    max_tokens: Positive = 512

    @field_validator("prompt")
    @classmethod
    def _can_be_filled(cls, prompt: Prompt) -> Prompt:
        return fill_answer(prompt)
