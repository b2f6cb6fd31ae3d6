"""Devices by the vendors' libraries, which stand here as they answer with a driver and without one."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from blocks.devices import Gpu, amdsmi, nvml

GIB = 2**30


class Failed(Exception):
    """What a vendor's library raises."""


def library(monkeypatch: pytest.MonkeyPatch, name: str, **members: object) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize("name", ["NVIDIA H200", b"NVIDIA H200"])
def test_nvidia(name: str | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    library(
        monkeypatch, "pynvml", NVMLError=Failed, nvmlInit=lambda: None, nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 2, nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetName=lambda _: name, nvmlDeviceGetUUID=lambda handle: f"GPU-{handle}",
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(total=141 * GIB, used=handle * GIB),
    )  # fmt: skip
    assert nvml() == [
        Gpu("nvidia", 0, "NVIDIA H200", 141 * GIB, 0, "GPU-0"),
        Gpu("nvidia", 1, "NVIDIA H200", 141 * GIB, GIB, "GPU-1"),
    ]


def test_amd(monkeypatch: pytest.MonkeyPatch) -> None:
    library(
        monkeypatch, "amdsmi", AmdSmiException=Failed, amdsmi_init=lambda: None, amdsmi_shut_down=lambda: None,
        amdsmi_get_processor_handles=lambda: ["h"], AmdSmiMemoryType=SimpleNamespace(VRAM=0),
        amdsmi_get_gpu_memory_total=lambda handle, kind: 192 * GIB,
        amdsmi_get_gpu_memory_usage=lambda handle, kind: 3 * GIB,
        amdsmi_get_gpu_asic_info=lambda handle: {"market_name": "AMD Instinct MI300X"},
    )  # fmt: skip
    expected = Gpu("amd", 0, "AMD Instinct MI300X", 192 * GIB, 3 * GIB)
    assert amdsmi() == [expected]
    assert expected.label == "0: AMD Instinct MI300X"


def test_a_library_without_a_driver_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Failed("driver not loaded")

    library(monkeypatch, "pynvml", NVMLError=Failed, nvmlInit=fail)
    library(monkeypatch, "amdsmi", AmdSmiException=Failed, amdsmi_init=fail)
    assert (nvml(), amdsmi()) == (None, None)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml() is None
