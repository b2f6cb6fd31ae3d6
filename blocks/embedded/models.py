"""From folders on disk to models that answer: a base, and one merged copy per adapter."""

from __future__ import annotations

import contextlib
import copy
import filecmp
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.initialization import no_init_weights

from blocks.embedded import attention
from nightschool.errors import RecipeError


@dataclass(frozen=True)
class Loaded:
    """A base and its adapters by name, with what they share."""

    networks: dict[str, PreTrainedModel]
    tokenizer: PreTrainedTokenizerFast
    stop_ids: list[int]
    vocab_size: int
    context: int


def load(folder: Path, name: str, adapters: dict[str, Path], dtype: str, max_model_len: int | None) -> Loaded:
    """Read a base and its adapters.

    Each adapter is merged into its own copy of the base: at a million parameters the time of a step is the number
    of its operations, and unmerged LoRA doubles that number, while a copy costs four megabytes.

    Raises:
        RecipeError: a folder is missing or broken, or an adapter belongs to another base.
    """
    attention.register()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        base = _network(folder, getattr(torch, dtype))
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as err:
        raise RecipeError(f"the model cannot be loaded: {_first_line(err)}", file=folder) from None
    if not tokenizer.chat_template:
        raise RecipeError("the tokenizer has no chat template", file=folder)
    base.requires_grad_(False).eval()
    context = _context(base.config, max_model_len, folder)
    networks = {name: base}
    for adapter_name, adapter_folder in adapters.items():
        networks[adapter_name] = _merged(base, folder, adapter_folder)
    return Loaded(networks, tokenizer, _stop_ids(base, tokenizer), base.config.vocab_size, context)


def _network(folder: Path, dtype: torch.dtype) -> Any:
    """Build the architecture and read its weights.

    from_pretrained builds on the meta device, which costs the import of SymPy, 1.6 CPU-seconds; it is left for
    checkpoints whose weights bear other names than the architecture's own or lie in several files.
    """
    weights = folder / "model.safetensors"
    if weights.is_file():
        with no_init_weights():
            config = AutoConfig.from_pretrained(folder)
            network = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation=attention.NAME)
        network.tie_weights()
        with contextlib.suppress(RuntimeError):
            load_model(network, weights)
            if (folder / "generation_config.json").is_file():
                network.generation_config = GenerationConfig.from_pretrained(folder)
            return network
    read: Any = AutoModelForCausalLM.from_pretrained
    network, info = read(folder, dtype=dtype, attn_implementation=attention.NAME, output_loading_info=True)
    if info["missing_keys"]:
        raise ValueError(f"weights are missing: {', '.join(sorted(info['missing_keys'])[:3])}")
    return network


def _first_line(err: BaseException) -> str:
    return next((line.strip() for line in str(err).splitlines() if line.strip()), type(err).__name__)


def _context(config: Any, wanted: int | None, folder: Path) -> int:
    longest = config.max_position_embeddings
    context = wanted or longest
    if context > longest:
        raise RecipeError(
            "max-model-len is longer than the model's context", file=folder, value=wanted, allowed=f"up to {longest}"
        )
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    window = getattr(config, "sliding_window", None) or context
    if kinds - {"full_attention", "sliding_attention"} or ("sliding_attention" in kinds and window < context):
        raise RecipeError("only full attention is served here; use engine vllm", file=folder, value=sorted(kinds))
    return context


def _stop_ids(network: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    configured = network.generation_config.eos_token_id if network.generation_config else None
    ids = configured if isinstance(configured, list) else [configured]
    return sorted({token for token in [*ids, tokenizer.eos_token_id] if token is not None})


def _merged(base: PreTrainedModel, base_folder: Path, folder: Path) -> PreTrainedModel:
    from peft import PeftModel, get_peft_model_state_dict  # half a second that a server without adapters is spared

    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        with safe_open(folder / "adapter_model.safetensors", framework="pt") as weights:
            stored = set(weights.keys())
    except (OSError, ValueError, SafetensorError) as err:
        raise RecipeError(f"the adapter cannot be loaded: {_first_line(err)}", file=folder) from None
    trained_on = Path(config.get("base_model_name_or_path") or base_folder)
    if _differs(trained_on, base_folder):
        raise RecipeError(f"the adapter belongs to another base, {trained_on}, not {base_folder}", file=folder)
    try:
        wrapped = PeftModel.from_pretrained(copy.deepcopy(base), str(folder))
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as err:
        raise RecipeError(f"the adapter does not fit {base_folder}: {_first_line(err)}", file=folder) from None
    if set(get_peft_model_state_dict(wrapped)) != stored:
        raise RecipeError(f"the adapter belongs to another base than {base_folder}: its layers differ", file=folder)
    return wrapped.merge_and_unload().eval()  # type: ignore[operator]


def _differs(trained_on: Path, served: Path) -> bool:
    """Whether the base that the adapter names is on this disk and holds other weights; a moved copy is the same."""
    if not trained_on.is_dir() or trained_on.resolve() == served.resolve():
        return False
    names = sorted(path.name for path in served.glob("*.safetensors"))
    theirs = sorted(path.name for path in trained_on.glob("*.safetensors"))
    return names != theirs or filecmp.cmpfiles(served, trained_on, names, shallow=False)[0] != names
