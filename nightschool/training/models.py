"""From names in a job to tokenizer and model in memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    PreTrainedTokenizerBase,
    set_seed,
)
from transformers.pytorch_utils import Conv1D

from nightschool.errors import DataError, WorldError
from nightschool.recipe.lora import Lora
from nightschool.training.batches import Layout, lay_out
from nightschool.training.job import Job
from nightschool.training.needs import lacking
from nightschool.training.packing import attention
from nightschool.training.vocabulary import add_tokens, give_rows, spell


@dataclass(frozen=True, slots=True)
class Place:
    """Where and in what precision is trained, and how many rows at a time.

    `bf16`: compute in bfloat16; `weights`: dtype the base is loaded in.
    """

    device: str
    bf16: bool
    weights: torch.dtype
    layout: Layout

    @property
    def dtype(self) -> str:
        """The compute precision, in the words of a recipe."""
        return "bfloat16" if self.bf16 else "float32"


def place_of(job: Job, most: int | None = None) -> Place:
    """Choose device and precision: bfloat16 on a GPU that has it, float32 on a CPU (measured: four times as fast).

    Weights that are trained themselves stay float32, small updates would be lost in bfloat16; a frozen base under an
    adapter is loaded in what is computed in.

    Args:
        most: rows to hold at a time, where the job's own number did not fit.

    Raises:
        DataError: the job asks for what this machine cannot do.
    """
    gpu = torch.cuda.is_available()
    for lack in lacking(job, job.lora, cuda=gpu):
        raise DataError(f"{lack.field}: {lack.why}; {lack.mend}")
    bf16 = job.dtype == "bfloat16" or (job.dtype == "auto" and gpu and torch.cuda.is_bf16_supported())
    frozen = job.lora is not None or job.adapter is not None
    weights = torch.bfloat16 if bf16 and frozen else torch.float32
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    return Place("cuda" if gpu else "cpu", bf16, weights, lay_out(job, processes, most))


def load_tokenizer(job: Job) -> PreTrainedTokenizerBase:
    """The base model's tokenizer, as every server of it reads it, and the tokens that the job adds.

    Raises:
        DataError: no tokenizer there, or one without a chat template, or one that has the new tokens already.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(job.model)
    except (OSError, ValueError) as error:
        raise DataError(f"no tokenizer: {_first_line(error)}", file=job.model) from error
    if not tokenizer.chat_template:
        raise DataError("the tokenizer has no chat template", file=job.model)
    add_tokens(tokenizer, job.tokens)
    return tokenizer


def stop_ids(job: Job, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Tokens at which a server of this model ends a reply."""
    found: list[Any] = [tokenizer.eos_token_id]
    try:
        more = GenerationConfig.from_pretrained(job.model).eos_token_id
    except OSError:  # most small models have no generation_config.json
        more = None
    found += more if isinstance(more, list) else [more]
    return frozenset(token for token in found if token is not None)


def load_model(job: Job, weights: torch.dtype) -> Any:
    """The model to train: the base with rows for new tokens, or the base with the adapter to go on with.

    Raises:
        DataError: the adapter does not fit this base.
        WorldError: the base cannot be loaded.
    """
    base, ids = load_base(job.model, weights, job), list[int]()
    if job.tokens:
        spelt, tokenizer = spell(AutoTokenizer.from_pretrained(job.model), job.tokens), load_tokenizer(job)
        ids = [tokenizer.get_vocab()[token] for token in job.tokens]
        give_rows(base, tokenizer, ids, spelt)
    if job.adapter is None:
        held = job.reference is not None and job.reference != job.model
        # An adapter can be a reference only to a model that has one.
        return _with_adapter(base, job, ids) if job.lora and (held or ids) else base
    try:
        return PeftModel.from_pretrained(base, job.adapter, is_trainable=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"adapter does not fit {job.model}: {_first_line(error)}", file=job.adapter) from error


def _with_adapter(base: Any, job: Job, ids: Sequence[int]) -> PeftModel:
    """An adapter on it, the same in every process, which leaves the head alone: PEFT would wrap one that is tied to the
    rows of new tokens, and TRL's losses read the head's weights past any wrapper. Marks are read, never written."""
    assert job.lora is not None
    config = lora_config(job.lora, base, ids)
    set_seed(job.seed)
    tied, base.config.tie_word_embeddings = base.config.tie_word_embeddings, False
    model = get_peft_model(base, config)
    base.config.tie_word_embeddings = tied
    assert isinstance(model, PeftModel)
    return model


def load_base(name: str, weights: torch.dtype, job: Job) -> Any:
    """A model without any adapter, in 4 bits where the job has it so.

    Raises:
        WorldError: it cannot be loaded.
    """
    how: dict[str, Any] = {"dtype": weights}
    if job.lora and job.lora.quantize == "4bit":
        how["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    if job.padding_free:
        how |= attention()
    try:
        return AutoModelForCausalLM.from_pretrained(name, **how)
    except (OSError, ValueError) as error:
        raise WorldError(f"{name}: cannot be loaded: {_first_line(error)}") from error


def lora_config(lora: Lora, model: Any, ids: Sequence[int] = ()) -> LoraConfig:
    """PEFT's words for an adapter of this model.

    Args:
        ids: new tokens, whose rows are trained beside it.

    Raises:
        DataError: it names modules that the model does not have, or that cannot have one.
    """
    modules: str | list[str] = "all-linear"
    if lora.target_modules != modules:
        named = lora.target_modules
        modules = [named] if isinstance(named, str) else list(named)
        known = _linear(model)
        if missing := [name for name in modules if not any(f".{path}".endswith(f".{name}") for path in known)]:
            allowed = ", ".join(sorted({path.rpartition(".")[2] for path in known}))
            message = (
                f"lora.target_modules: the model has no {', '.join(missing)} to adapt; it has all-linear, {allowed}"
            )
            raise DataError(message)
    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=modules,
        use_dora=lora.dora,
        use_rslora=lora.rslora,
        trainable_token_indices=list(ids) or None,
        task_type="CAUSAL_LM",
    )


def _linear(model: Any) -> list[str]:
    """Paths of what an adapter can be put on: TRL reads the last layer's weights past any adapter."""
    kinds, head = (torch.nn.Linear, Conv1D), model.get_output_embeddings()
    return [path for path, module in model.named_modules() if isinstance(module, kinds) and module is not head]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
