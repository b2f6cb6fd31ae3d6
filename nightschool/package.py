"""Which files of a stage are given away, what they say of where they come from, and how they are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import orjson

RULES_VERSION = 1

# Weights as safetensors alone: any other kind can run code when it is loaded.
_WEIGHTS = ".safetensors"
_BESIDE = (
    "adapter_config.json", "config.json", "generation_config.json", "model.safetensors.index.json", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
    "tokenizer.model", "chat_template.jinja", "recipe.yaml",
)  # fmt: skip


def goes_along(name: str) -> bool:
    """Whether a file is given away: weights, tokenizer, template, configuration; no logs, no code, no pickles."""
    path = PurePath(name)
    return path.suffix == _WEIGHTS or path.name in _BESIDE


def adapter_config(text: bytes, base: str) -> bytes:
    """PEFT's configuration with the base by its name, in place of a folder of the machine that trained it."""
    found: dict[str, Any] = orjson.loads(text)
    return orjson.dumps(found | {"base_model_name_or_path": base}, option=orjson.OPT_INDENT_2)


def base_name(model: str) -> str:
    """A model by a name that says something elsewhere: a hub id as it is, of a folder only its own name."""
    return PurePath(model).name if model.startswith(("/", ".", "~")) else model


def sums(digests: Mapping[str, str]) -> str:
    """SHA256SUMS, as `sha256sum -c` reads it."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
