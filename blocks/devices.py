"""Devices and their memory, from the vendors' libraries where they are installed: NVIDIA's NVML, AMD's amdsmi."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Gpu:
    """A device as its vendor shows it; memory in bytes. `uuid` as CUDA_VISIBLE_DEVICES may name it, if known."""

    vendor: str
    index: int
    name: str
    total: int
    used: int
    uuid: str = ""

    @property
    def label(self) -> str:
        """What people call it."""
        return f"{self.index}: {self.name}"


def nvml() -> list[Gpu] | None:
    """NVIDIA's devices in milliseconds (nvidia-smi takes a second); None where library or driver is not there."""
    lib = _load("pynvml")
    if lib is None:
        return None
    try:
        lib.nvmlInit()
        try:
            return [_nvidia(lib, index) for index in range(lib.nvmlDeviceGetCount())]
        finally:
            lib.nvmlShutdown()
    except lib.NVMLError:
        return None


def amdsmi() -> list[Gpu] | None:
    """AMD's devices; None where library or driver is not there."""
    lib = _load("amdsmi")
    if lib is None:
        return None
    try:
        lib.amdsmi_init()
        try:
            return [_amd(lib, index, each) for index, each in enumerate(lib.amdsmi_get_processor_handles())]
        finally:
            lib.amdsmi_shut_down()
    except lib.AmdSmiException:
        return None


def _nvidia(lib: Any, index: int) -> Gpu:
    handle = lib.nvmlDeviceGetHandleByIndex(index)
    name, uuid = (_text(get(handle)) for get in (lib.nvmlDeviceGetName, lib.nvmlDeviceGetUUID))
    memory = lib.nvmlDeviceGetMemoryInfo(handle)
    return Gpu("nvidia", index, name, memory.total, memory.used, uuid)


def _text(found: str | bytes) -> str:
    return found if isinstance(found, str) else found.decode()


def _amd(lib: Any, index: int, handle: Any) -> Gpu:
    vram = lib.AmdSmiMemoryType.VRAM
    total, used = lib.amdsmi_get_gpu_memory_total(handle, vram), lib.amdsmi_get_gpu_memory_usage(handle, vram)
    return Gpu("amd", index, str(lib.amdsmi_get_gpu_asic_info(handle).get("market_name", "AMD GPU")), total, used)


def _load(name: str) -> Any:
    """The library, or None where it, or the driver's own library that it wraps, is not there."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError, KeyError):
        return None
