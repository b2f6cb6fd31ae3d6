"""From what is to be served to the flags of vLLM's server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.errors import RecipeError

if TYPE_CHECKING:
    from blocks.servers import ServerSpec

# Backends of vllm that can be told to write JSON without white space.
_COMPACT_JSON = ("xgrammar", "guidance")
_VALUES = (
    "max_model_len", "gpu_memory_utilization", "max_num_seqs", "max_num_batched_tokens", "quantization",
    "kv_cache_dtype", "reasoning_parser",
)  # fmt: skip
# The ranks that vllm's --max-lora-rank takes.
_LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


def vllm_flags(spec: ServerSpec, *, on_cpu: bool) -> list[str]:
    """What vLLM's server is told of a model.

    Args:
        on_cpu: the vllm that is installed is the CPU's.

    Raises:
        RecipeError: an adapter can't be served.
    """
    # Without disable_any_whitespace, JSON can run on in white space until max_tokens; only some backends have it.
    structured: dict[str, object] = {"backend": spec.structured_outputs}
    if spec.structured_outputs in _COMPACT_JSON:
        structured["disable_any_whitespace"] = True
    # Without the last one vllm does not say how much of a prompt it had in its cache.
    flags = ["--model", spec.model, "--served-model-name", spec.name, "--enable-prompt-tokens-details"]
    flags += ["--dtype", spec.dtype]
    flags += ["--tensor-parallel-size", str(spec.tensor_parallel)]
    for ways, count in (("pipeline", spec.pipeline_parallel), ("data", spec.data_parallel)):
        flags += [f"--{ways}-parallel-size", str(count)] if count > 1 else []
    flags += ["--structured-outputs-config", json.dumps(structured)]
    for field in _VALUES:
        value = getattr(spec, field)
        flags += [] if value is None else [f"--{field.replace('_', '-')}", str(value)]
    # Compiling costs 27 s and more at start, which a CPU's small models never earn back.
    eager = on_cpu if spec.enforce_eager is None else spec.enforce_eager
    switches = {"enforce_eager": eager or None, "enable_prefix_caching": spec.enable_prefix_caching}
    switches["trust_remote_code"] = spec.trust_remote_code or None
    # A request with a seed whose prompt is prefilled in parts kills a CPU engine (vllm 0.32: "CPU Generator does not
    # use offset").
    switches["enable_chunked_prefill"] = False if on_cpu else None
    flags += [_switch(name, on) for name, on in switches.items() if on is not None]
    if spec.adapters:
        flags += ["--enable-lora", "--max-lora-rank", str(_lora_rank(spec.adapters)), "--max-loras"]
        # One place more than there are adapters: on a CPU vllm 0.32 gives a request for the base that shares a batch
        # with one for an adapter the weights in the last place (its index is -1). An empty place changes nothing.
        flags += [str(len(spec.adapters) + 1), "--lora-modules"]
        flags += [f"{name}={folder}" for name, folder in spec.adapters.items()]
    return [*flags, *spec.extra_args]


def _switch(name: str, on: bool) -> str:
    return f"--{'' if on else 'no-'}{name.replace('_', '-')}"


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
