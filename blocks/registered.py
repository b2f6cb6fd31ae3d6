"""The kinds of block that Prefect's server is told of, each with a form that explains itself.

Only `nightschool up` and `nightschool blocks register` load this: whoever reads a block reads its fields
(blocks/said.py).
"""

from __future__ import annotations

from typing import Any, Literal

from prefect.blocks.core import Block
from prefect.types import SecretDict
from pydantic import Field, SecretStr

from blocks.said import SLUGS, reaching
from nightschool.recipe.learning import Sft
from nightschool.recipe.models import Model

# Limits of pydantic's fields, by the words of a form.
_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _as_in(section: type[Model] | type[Sft], name: str, title: str) -> Any:
    """A field that a recipe may have as well, left out unless it is filled in; the recipe's words and limits."""
    field = section.model_fields[name]
    told = field.description or ""
    words = told.removeprefix("vllm: ")
    limits = {
        word: getattr(one, limit) for one in field.metadata for limit, word in _LIMITS.items() if hasattr(one, limit)
    }
    return _field(title, f"{words[0].upper()}{words[1:]}{'' if words == told else ' (vLLM alone)'}.", limits)


def _field(title: str, told: str, limits: dict[str, float] | None = None) -> Any:
    """A field that may be left out: one input, which is empty then."""

    def plain(schema: dict[str, Any]) -> None:
        # Of a choice between a type and null Prefect's page makes two tabs. A switch keeps them: by itself it could
        # not be put back to neither.
        [wanted] = [one for one in schema["anyOf"] if one["type"] != "null"]
        if wanted["type"] != "boolean":
            del schema["anyOf"], schema["default"]  # which would stand in the input as the word null
            schema.update(wanted, **limits or {})

    return Field(default=None, title=title, description=told, json_schema_extra=plain)


class ModelServer(Block):
    """How servers of a model are run on this machine: `server: block/NAME` at a teacher, the student or a judge."""

    _block_type_name = "Nightschool model server"
    _block_type_slug = SLUGS["server"]

    engine: Literal["vllm", "transformers"] | None = _field(
        "Engine", "What runs the model; as the recipe's serve.engine says, if nothing is chosen."
    )
    replicas: int | None = _as_in(Model, "replicas", "Replicas")
    tensor_parallel: int | None = _as_in(Model, "tensor_parallel", "Devices per replica")
    pipeline_parallel: int | None = _as_in(Model, "pipeline_parallel", "Runs of layers")
    data_parallel: int | None = _as_in(Model, "data_parallel", "Copies behind an address")
    gpus: list[int] | None = _field(
        "GPUs",
        "The devices that its servers share, by the numbers that nvidia-smi has: `[0, 1]`; all of them if left out.",
    )
    concurrency: int | None = _as_in(Model, "concurrency", "Requests in flight")
    threads: int | None = _as_in(Model, "threads", "Threads")
    gpu_memory_utilization: float | None = _as_in(Model, "gpu_memory_utilization", "Share of memory")
    max_num_seqs: int | None = _as_in(Model, "max_num_seqs", "Sequences in a batch")
    enable_prefix_caching: bool | None = _as_in(Model, "enable_prefix_caching", "Prefix cache")
    extra_args: list[str] | None = _as_in(Model, "extra_args", "Further flags")


class Endpoint(Block):
    """A server that others run and that speaks as OpenAI's does: `endpoint: block/NAME` at a teacher or judge."""

    _block_type_name = "Nightschool endpoint"
    _block_type_slug = SLUGS["endpoint"]

    urls: list[str] = Field(
        title="URLs",
        description='Base URLs ending in /v1, as a list: `["http://host:8000/v1"]`; no password or token in them.',
    )
    model: str | None = _field("Model", "What the endpoint calls the model.")
    key: SecretStr | None = _field("Key", "API key; shown nowhere, written down nowhere.")
    concurrency: int | None = _field(
        "Requests in flight",
        "At once to each URL; if left out 32, and as many more as bring more replies a second.",
    )
    requests_per_minute: int | None = _as_in(Model, "requests_per_minute", "Requests a minute")
    tokens_per_minute: int | None = _as_in(Model, "tokens_per_minute", "Tokens a minute")
    price_in: float | None = _as_in(Model, "price_in", "Price of prompts")
    price_out: float | None = _as_in(Model, "price_out", "Price of replies")


class Store(Block):
    """Where rows, models and nights lie: `store: block/NAME` in a recipe, `--store block/NAME` on the command line."""

    _block_type_name = "Nightschool store"
    _block_type_slug = SLUGS["store"]

    url: str = Field(title="Place", description="A folder, or a URL such as s3://bucket/prefix; no password in it.")
    endpoint_url: str | None = _field(
        "Server", "Address of S3-compatible storage elsewhere than at Amazon's, such as `https://host:9000`."
    )
    key: SecretStr | None = _field("Access key", "Its id, as the storage gave it.")
    secret: SecretStr | None = _field("Secret key", "Its secret half.")
    token: SecretStr | None = _field("Session token", "Of temporary credentials.")
    options: SecretDict | None = _field("Further options", "Whatever else fsspec's driver of that storage takes.")


class Trainer(Block):
    """What trains a stage: `trainer: block/NAME` in an sft or dpo section."""

    _block_type_name = "Nightschool trainer"
    _block_type_slug = SLUGS["trainer"]

    launcher: Literal["plain", "ddp", "fsdp", "deepspeed"] | None = _as_in(Sft, "launcher", "Launcher")
    devices: int | None = _field(
        "Devices",
        "How many GPUs train; if left out every GPU there is where the launcher starts several processes, else one.",
    )
    machines: int | None = _as_in(Sft, "machines", "Machines")
    main_address: str | None = _as_in(Sft, "main_address", "Main address")
    main_port: int | None = _as_in(Sft, "main_port", "Main port")
    micro_batch: int | None = _as_in(Sft, "micro_batch", "Rows on a device")
    threads: int | None = _as_in(Sft, "threads", "Threads")
    gradient_checkpointing: bool | None = _field("Gradient checkpointing", "Less memory, a third more time.")


class Notifier(Block):
    """Who is told of a night: `notify: {to: block/NAME}` in a recipe."""

    _block_type_name = "Nightschool notifier"
    _block_type_slug = SLUGS["notifier"]

    url: SecretStr = Field(
        title="Address",
        description="As Apprise has it: a Slack or Teams webhook's https:// address, mailtos://user:password@host, "
        "ntfy://topic, ...; any other http:// or https:// address gets JSON with title and message.",
    )


KINDS: tuple[type[Block], ...] = (ModelServer, Endpoint, Store, Trainer, Notifier)


def register() -> list[str]:
    """Tells the server that is configured of all kinds, or of what has changed in them; their names.

    Raises:
        RecipeError: no server is named.
        WorldError: it does not answer, or refuses.
    """
    with reaching():
        for kind in KINDS:
            kind.register_type_and_schema()
    return [str(kind.get_block_type_name()) for kind in KINDS]
