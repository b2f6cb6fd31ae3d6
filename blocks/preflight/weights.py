"""From a model's name to where its files are and how large they are."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from nightschool.registry import registry

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_BILLIONS = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)[bB](?![A-Za-z])")
_SCHOOL_BYTES = 4_000_000  # a million parameters in float32


@dataclass(frozen=True, slots=True)
class Weights:
    """`folder` is None where nothing is on this machine; `size` in bytes, None where nobody can tell."""

    kind: str
    folder: Path | None
    size: int | None


def find_weights(model: str) -> Weights:
    """Look a model up: made by the school, a folder, in the hub's cache, or still to be downloaded."""
    if model.startswith("school:"):
        return Weights("school", None, _SCHOOL_BYTES)
    folder = Path(model).expanduser()
    if folder.is_dir():
        return Weights("folder", folder, _size(folder))
    if not HUB_ID.fullmatch(model):
        return Weights("nothing", None, None)
    if snapshot := _snapshot(model):
        return Weights("cache", snapshot, _size(snapshot))
    return Weights("hub", None, _told(model))


def _told(model: str) -> int | None:
    """The size by the registry, else by the billions in its name."""
    if known := registry().find(model):
        return int(1e9 * next(iter(known.weights.values()))) if known.weights else None
    billions = _BILLIONS.search(model)
    return int(float(billions[1]) * 2e9) if billions else None


def missing_files(folder: Path) -> list[str]:
    """What a model's folder lacks to be served; empty if nothing."""
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    tokenizers = ("tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json")
    if not any((folder / name).is_file() for name in tokenizers):
        missing.append("a tokenizer (tokenizer.json)")
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        missing += [name for name in _shards(index) if not (folder / name).is_file()]
    elif not _files(folder):
        missing.append("weights (*.safetensors)")
    return missing


def hub_cache() -> Path:
    """The folder that the hub's clients download to."""
    home = Path(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()


def _snapshot(model: str) -> Path | None:
    snapshots = (hub_cache() / f"models--{model.replace('/', '--')}" / "snapshots").glob("*/config.json")
    newest = max(snapshots, key=lambda file: file.lstat().st_mtime, default=None)
    return newest.parent if newest else None


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in _files(folder) if file.exists())


def _shards(index: Path) -> list[str]:
    try:
        weight_map = json.loads(index.read_bytes())["weight_map"]
        return sorted(set(weight_map.values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ["a readable model.safetensors.index.json"]
