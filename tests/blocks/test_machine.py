"""Devices of either vendor, read from what their tools print; and tools that fail or hang."""

import os
from pathlib import Path

import pytest

from blocks import machine
from blocks.devices import Gpu
from blocks.machine import parse_amd, parse_nvidia

MIB = 2**20
NVIDIA = "0, NVIDIA H200, 143771, 512, GPU-a\n1, NVIDIA H200, 143771, [N/A], GPU-b\nNo devices were found\n"
AMD_STATIC = (
    '[{"gpu": 0, "asic": {"market_name": "AMD Instinct MI300X"}, "vram": {"size": {"value": 196592, "unit": "MB"}}},'
    ' {"gpu": 1, "asic": "N/A", "vram": "N/A"}]'
)
AMD_METRIC = '[{"gpu": 0, "mem_usage": {"used_vram": {"value": 4096, "unit": "MB"}}}, {"gpu": 1, "mem_usage": "N/A"}]'


def test_nvidia() -> None:
    assert parse_nvidia(NVIDIA) == [
        Gpu("nvidia", 0, "NVIDIA H200", 143771 * MIB, 512 * MIB, "GPU-a"),
        Gpu("nvidia", 1, "NVIDIA H200", 143771 * MIB, 0, "GPU-b"),
    ]


@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: f'{{"gpu_data": {text}}}'])
def test_amd(wrap) -> None:
    assert parse_amd(wrap(AMD_STATIC), wrap(AMD_METRIC)) == [
        Gpu("amd", 0, "AMD Instinct MI300X", 196592 * MIB, 4096 * MIB),
        Gpu("amd", 1, "AMD GPU", 0, 0),
    ]


@pytest.mark.parametrize("text", ["", "no json", "[1, 2]", '{"gpu_data": [{"gpu": "x"}]}', "null"])
def test_amd_that_says_nothing(text: str) -> None:
    assert parse_amd(text, text) == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo '0, NVIDIA H200, 143771, 512, GPU-a'", ["NVIDIA H200"]),
        ("echo 'Unable to determine the device handle'; exit 9", []),
        ("exec sleep 60", []),
    ],
)
def test_the_tool_is_asked_and_may_fail_or_hang(
    script: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(machine, "TOOL_TIMEOUT_S", 1)
    assert [gpu.name for gpu in machine.gpus() if gpu.vendor == "nvidia"] == expected


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hunter2")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@proxy:80")
    shown = machine.settings()
    assert "hunter2" not in str(shown)
    assert shown["HF_TOKEN"] == "set (not shown)"
    assert shown["HTTPS_PROXY"] == "http://***@proxy:80"


def test_memory_and_cores_are_those_we_may_use() -> None:
    found = machine.memory()
    assert 0 < found.available <= found.total
    assert 1 <= machine.cores() <= (os.cpu_count() or 1)
