"""Which servers are up together, and on which devices: as many as fit at once, else one model after the other."""

from __future__ import annotations

import os
from collections.abc import Sequence

from blocks.devices import Gpu
from blocks.machine import gpus, memory
from blocks.preflight.weights import find_weights
from blocks.servers import ServerSpec
from nightschool.placement import NoRoom, Want, deal
from nightschool.recipe.models import Placement

_MB = 1_000_000
# Bytes of a server beside its weights: imports, buffers, KV cache. Measured: vLLM on a CPU 2.5 GB and 1 GiB of cache.
_SERVER = {"scripted": 80 * _MB, "transformers": 700 * _MB, "vllm": 3_600 * _MB, "endpoint": 0}

Wave = tuple[ServerSpec, ...]


def arrange(specs: Sequence[ServerSpec], placement: Placement) -> list[Wave]:
    """`arranged` on this machine, with the devices that this process may see and the memory that it may use."""
    return arranged(specs, placement, devices=visible(gpus()), memory_bytes=memory().total)


def arranged(
    specs: Sequence[ServerSpec], placement: Placement, *, devices: Sequence[int], memory_bytes: int
) -> list[Wave]:
    """Specs with their devices, in runs that are up together.

    Servers elsewhere are up all the time, and with auto so are scripted ones: they need next to nothing.

    Args:
        placement: auto takes as many models at once, in order, as the devices and the CPU's memory hold, as far as
            their need can be known; sequential takes one at a time.
        devices: numbers of the devices of this machine; vLLM's servers alone get any.

    Raises:
        RecipeError: devices are not there, or (NoRoom) one model alone, or all side by side, want more.
    """
    if placement == "side_by_side":
        return [_with_devices(specs, devices)]
    always = ("endpoint",) if placement == "sequential" else ("endpoint", "scripted")
    waves: list[list[ServerSpec]] = []
    for spec in specs:
        if spec.engine in always:
            continue
        if waves and placement == "auto" and _fit([*waves[-1], spec], devices, memory_bytes):
            waves[-1].append(spec)
        else:
            waves.append([spec])
    return [
        _with_devices([spec for spec in specs if spec in wave or spec.engine in always], devices)
        for wave in waves or [[]]
    ]


def _fit(wave: Sequence[ServerSpec], devices: Sequence[int], memory_bytes: int) -> bool:
    try:
        return (need_bytes(_with_devices(wave, devices)) or 0) <= memory_bytes
    except NoRoom:
        return False


def need_bytes(wave: Sequence[ServerSpec]) -> int | None:
    """Main memory of servers that are up together, an estimate; None if the size of a model is unknown."""
    each = [_host_bytes(spec) for spec in wave]
    return None if None in each else sum(each_bytes or 0 for each_bytes in each)


def visible(found: Sequence[Gpu]) -> list[int]:
    """The numbers of the devices, NVIDIA's where there are any, that the environment lets this process use.

    None at all where it names parts of devices (MIG), which have no numbers: then every server sees what it is let.
    """
    vendor = found[0].vendor if found else "nvidia"
    ours = [gpu for gpu in found if gpu.vendor == vendor]
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES" if vendor == "nvidia" else "HIP_VISIBLE_DEVICES")
    if allowed is None:
        return [gpu.index for gpu in ours]
    named = [name.strip() for name in allowed.split(",") if name.strip()]
    return [gpu.index for name in named for gpu in ours if _is(gpu, name)]


def _is(gpu: Gpu, name: str) -> bool:
    return str(gpu.index) == name or (name.startswith("GPU-") and gpu.uuid.startswith(name))


def _with_devices(specs: Sequence[ServerSpec], devices: Sequence[int]) -> Wave:
    wants: list[Want] = [spec.want for spec in specs if spec.engine == "vllm"]
    dealt = deal(wants, devices)
    return tuple(spec.model_copy(update={"devices": dealt.get(spec.name, ())}) for spec in specs)


def _host_bytes(spec: ServerSpec) -> int | None:
    weights = find_weights(spec.model).size if spec.engine in ("transformers", "vllm") else 0
    if weights is None:
        return None
    on_host = 0 if any(spec.devices) else 2 * weights
    return spec.replicas * spec.data_parallel * (_SERVER[spec.engine] + on_host)
