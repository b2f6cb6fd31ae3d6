"""Recipe sections that name models: how they are served, who teaches, who learns."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from nightschool.placement import Gpus, Want
from nightschool.prompts import Prompt
from nightschool.recipe.address import Address
from nightschool.recipe.blocks import BlockName
from nightschool.recipe.script import Script
from nightschool.recipe.section import (
    Clash,
    Line,
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
Placement = Literal["auto", "side_by_side", "sequential"]
# Flags that the night sets itself, and the field that does so where there is one.
_SET = ("host", "port", "model", "served-model-name", "api-key", "lora-modules", "enable-prompt-tokens-details")
_OURS = {f"--{flag}": "" for flag in _SET}
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
# Flags of vllm that name code to load, or a file of further flags.
_CODE = (
    "--config", "--middleware", "--tool-parser-plugin", "--reasoning-parser-plugin", "--io-processor-plugin",
    "--logits-processors", "--worker-cls", "--worker-extension-cls", "--scheduler-cls", "--model-class-overrides",
)  # fmt: skip
# What only vLLM knows: set on a model of another engine, it would be ignored.
VLLM_ONLY = (
    "quantization", "kv_cache_dtype", "reasoning_parser", "structured_outputs", "gpu_memory_utilization",
    "enable_prefix_caching", "max_num_seqs", "max_num_batched_tokens", "enforce_eager", "trust_remote_code",
    "tensor_parallel", "pipeline_parallel", "data_parallel", "gpus", "extra_args",
)  # fmt: skip
# Fields whose flag of vllm has another name.
_SIZES = ("tensor_parallel", "pipeline_parallel", "data_parallel")


class Settings(Section):
    """How a model's servers run: in `serve` for all models, in a model for that one; left out = the engine's own.

    Source: plans 000 (2.1), 003 (models) and 004 (run_local).
    """

    max_model_len: Positive | None = Field(default=None, description="tokens of prompt and reply together")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] | None = Field(default=None, description="of the weights")
    quantization: Word | None = Field(default=None, description="vllm: a method such as fp8 or awq")
    kv_cache_dtype: Word | None = Field(default=None, description="vllm: such as fp8; halves the cache")
    reasoning_parser: Word | None = Field(default=None, description="vllm: keeps thoughts apart, such as qwen3")
    structured_outputs: Literal["auto", "xgrammar", "guidance", "outlines", "lm-format-enforcer"] | None = Field(
        default=None, description="vllm: what holds replies to a JSON schema; xgrammar if left out"
    )
    replicas: int | None = execution(None, ge=1, le=256, description="servers that each hold the model; 1 if left out")
    tensor_parallel: int | None = execution(None, ge=1, le=64, description="devices that share one replica's weights")
    pipeline_parallel: int | None = execution(
        None, ge=1, le=64, description="vllm: runs of layers that a replica's weights are cut into, each on own devices"
    )
    data_parallel: int | None = execution(
        None,
        ge=1,
        le=256,
        description="vllm: copies of the weights behind a replica's address, each on own devices",
    )
    gpus: Gpus | None = execution(
        None, description="auto, a pool such as [0, 1], or a group per replica: [[0, 1], [2, 3]]; numbers of nvidia-smi"
    )
    concurrency: int | None = execution(
        None,
        ge=1,
        le=4096,
        description="requests in flight per replica; else 32, and of vllm and endpoints as many "
        "more as bring more replies a second",
    )
    threads: int | None = execution(None, ge=1, description="CPU threads per replica; 1 if left out")
    gpu_memory_utilization: float | None = execution(
        None, gt=0, le=1, description="vllm: share of each device's memory; models share a device if all say one"
    )
    enable_prefix_caching: bool | None = execution(None, description="vllm: reuse the prompts' common beginning")
    max_num_seqs: int | None = execution(None, ge=1, description="vllm: sequences in a batch")
    max_num_batched_tokens: int | None = execution(None, ge=1, description="vllm: tokens in a batch")
    enforce_eager: bool | None = execution(None, description="vllm: quick start, slow tokens")
    trust_remote_code: bool | None = execution(None, description="vllm: run code that the model's folder brings")
    extra_args: tuple[str, ...] | None = execution(None, description="vllm: further flags; `check` looks them up")

    @field_validator("extra_args")
    @classmethod
    def _flags_without_a_field(cls, extra_args: tuple[str, ...] | None) -> tuple[str, ...] | None:
        fields = _OURS | {f"--{name.replace('_', '-')}": name for name in (*VLLM_ONLY, "max_model_len", "dtype")}
        fields |= {f"--{name.replace('_', '-')}-size": name for name in _SIZES}
        for given in extra_args or ():
            flag = given.partition("=")[0].replace("_", "-").replace("--no-", "--")
            if flag in fields:
                raise Clash(f"{flag}: " + (f"use the field {fields[flag]}" if fields[flag] else "the night sets it"))
        return extra_args

    @model_validator(mode="after")
    def _code_is_trusted_aloud(self) -> Settings:
        named = [flag for flag in self.extra_args or () if flag.partition("=")[0].replace("_", "-") in _CODE]
        if named and not self.trust_remote_code:
            raise Clash(f"{named[0]} loads code: say trust_remote_code: true as well", "extra_args")
        return self

    def identity(self) -> dict[str, Any]:
        """As of any section; what is left out decides nothing, so that a new setting renames no key."""
        return {name: value for name, value in super().identity().items() if value is not None}

    @model_serializer(mode="wrap")
    def _without_what_is_left_out(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value is not None or name not in _OPTIONAL}

    def said(self) -> dict[str, Any]:
        """The settings that are not left out."""
        values = {name: getattr(self, name) for name in _OPTIONAL}
        return {name: value for name, value in values.items() if value is not None}


_OPTIONAL = frozenset(Settings.model_fields)


class Serve(Settings):
    """How model servers are started; a model may override what `Settings` has."""

    engine: Engine = Field(default="auto", description="auto = vllm where it and a GPU are found, else transformers")
    placement: Placement = execution(
        "auto", description="teachers side_by_side or one at a time; auto = as many at once as devices and memory hold"
    )
    restarts: int = execution(3, ge=0, le=100, description="how often a server that died in service is started again")
    client_processes: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = execution(
        "auto",
        description="processes that share the asking when one core is too few; auto = one for 512 requests in flight; "
        "never more than one asks a model with a limit or a budget",
    )
    metrics_port: int | None = execution(None, ge=1, le=65535, description="OpenMetrics on this port of loopback")
    startup_timeout_s: float = execution(300.0, gt=0, description="seconds until a server must answer")
    request_timeout_s: float = execution(120.0, gt=0, description="seconds for one request")
    attempts: int = execution(5, ge=1, le=20, description="tries per request before its row is dropped")
    retries_per_row: float = execution(3.0, ge=0, description="retries that a chunk may spend, per row on average")


class Model(Settings):
    """A model by name: a hub id, a folder, or school:NAME for one that this night makes."""

    name: Name = Field(description="what rows, reports and logs call it")
    model: Line = Field(description="hub id, folder, or school:NAME; what an endpoint calls it")
    engine: Engine | None = Field(default=None, description="overrides serve.engine")
    adapter: Line | None = Field(default=None, description="folder of a LoRA adapter to serve it with")
    endpoint: BlockName | None = execution(
        None, description="block/NAME: its urls, key and limits are taken from there"
    )
    server: BlockName | None = execution(None, description="block/NAME: how its servers run is taken from there")
    urls: tuple[Address, ...] = execution((), description="engine endpoint: base URLs ending in /v1")
    key_env: str | None = execution(None, pattern=r"^[A-Z_][A-Z0-9_]*$", description="variable that holds the API key")
    requests_per_minute: int | None = execution(None, ge=1, description="most requests a minute, over all URLs")
    tokens_per_minute: int | None = execution(None, ge=1, description="most tokens a minute, in and out, over all URLs")
    price_in: float = execution(0.0, ge=0, description="money for a million tokens of prompt")
    price_out: float = execution(0.0, ge=0, description="money for a million tokens of reply")
    budget: float | None = execution(None, gt=0, description="most money that a night may spend on this model")
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

    @model_validator(mode="after")
    def _a_budget_has_prices(self) -> Model:
        if self.budget is not None and not (self.price_in or self.price_out):
            raise Clash("a budget needs price_in and price_out, in money for a million tokens", "budget")
        return self

    @model_validator(mode="after")
    def _settings_are_heeded(self) -> Model:
        other = self.engine in ("transformers", "scripted", "endpoint") or bool(self.urls)
        if other and (ignored := [name for name in VLLM_ONLY if getattr(self, name) is not None]):
            raise Clash(f"only engine vllm heeds it, not {self.engine or 'endpoint'}", ignored[0])
        if self.adapter and (self.urls or self.engine in ("scripted", "endpoint")):
            raise Clash("an adapter is served by engine vllm or transformers", "adapter")
        return self


def settings(model: Model, serve: Serve) -> dict[str, Any]:
    """What is said of a model's servers, in the model itself or else in `serve`; what neither says is not in it."""
    return serve.said() | model.said()


def want(model: Model, serve: Serve) -> Want:
    """What the model asks of the machine's devices."""
    said = settings(model, serve)
    return Want(
        name=model.name,
        replicas=said.get("replicas", 1),
        **{name: said.get(name, 1) for name in _SIZES},
        gpus=said.get("gpus", "auto"),
        share=said.get("gpu_memory_utilization", 1.0),
    )


class Student(Model):
    """The model that learns, and the conditions it is served under: one prompt in training, sampling and tests."""

    prompt: PromptFile
    temperature: Temperature = Field(default=0.7, description="of its answers in pairs and tests")
    top_p: Share = Field(default=1.0, description="share of probability that a token is drawn from")
    max_tokens: Positive = Field(default=512, description="tokens of an answer at most")

    @field_validator("prompt")
    @classmethod
    def _can_be_filled(cls, prompt: Prompt) -> Prompt:
        return fill_answer(prompt, choices=False)  # where there are some, the recipe sees to it

    @model_validator(mode="after")
    def _starts_from_a_model(self) -> Student:
        if self.adapter:
            raise Clash("the student's adapters are those that the night trains: merge this one first", "adapter")
        return self
