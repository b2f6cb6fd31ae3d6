"""The command: `python -m nightschool.training.merging JOB.json` puts an adapter into its base and proves it."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nightschool.errors import DataError, NightError, WorldError
from nightschool.training.merge_job import Alike, Merged, MergeJob
from nightschool.training.process import prepare

# Of what the adapter changes, in Kullback-Leibler divergence, so much may be lost. Measured on an adapter that had
# barely learned (4 + 7 steps, 3e-4 nats from its base): 1e-8 nats lost in float32, 4e-5 in bfloat16.
_MOST_LOST = 0.5
_NOTHING = 1e-6  # nats between two ways to compute the same in float32
_ROUNDED = 0.02  # nats that a model that is whole already may lose when its weights are rounded


def main() -> int:
    """Merge one stage; the last line of stdout is what came of it. Exit codes as of `nightschool.training`."""
    parser = argparse.ArgumentParser(prog="python -m nightschool.training.merging", description="Merges one adapter.")
    parser.add_argument("job", type=Path, help="JSON file, see nightschool.training.merge_job")
    path = parser.parse_args().job
    try:
        job = MergeJob.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        sys.stderr.write(f"{path}: no job: {error}\n")
        return DataError.exit_code
    prepare(job)
    try:
        print(merge(job).model_dump_json(), flush=True)  # noqa: T201 - the answer to whoever started it
    except NightError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def merge(job: MergeJob) -> Merged:
    """Write the merged model, read it back from disk, and hold it against base and adapter.

    Raises:
        DataError: the adapter does not fit the base, or the merged model says something else.
        WorldError: the base cannot be loaded.
    """
    began = time.monotonic()
    model = load(job.model, job.dtype)
    tokens = _tokens(job)
    for folder in filter(None, (job.output, job.quantised)):
        shutil.rmtree(folder, ignore_errors=True)
    changed = None
    if job.adapter:
        model = with_adapter(model, job.adapter, job.model)
        before = _log_probs(model, tokens)
        with model.disable_adapter():
            changed = _alike(before, _log_probs(model, tokens)).mean
        model = model.merge_and_unload(safe_merge=True)
    else:
        before = _log_probs(model, tokens)
    model.save_pretrained(job.output)
    _save_tokenizer(job)
    named = str(model.dtype).removeprefix("torch.")
    del model
    after = _log_probs(load(job.output), tokens)
    merged = _alike(before, after)
    if not merged.mean <= (_ROUNDED if changed is None else _MOST_LOST * changed + _NOTHING):  # NaN is too far as well
        told = "" if changed is None else f", and the adapter changes {changed:.2g}"
        raise DataError(f"the merged model is not the adapter's: {merged.mean:.2g} nats apart{told}")
    found = Merged(dtype=named, changed=changed, merged=merged, seconds=time.monotonic() - began)
    if job.quantised is None:
        return found
    _quantise(job)
    quantised = _alike(after, _log_probs(load(job.quantised), tokens))
    update = {"quantised": quantised, "method": job.method, "seconds": time.monotonic() - began}
    return found.model_copy(update=update)


def load(name: str, dtype: str = "auto") -> Any:
    """A model in memory, on the GPU if there is one.

    Raises:
        WorldError: it cannot be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM

    wanted = dtype if dtype == "auto" else getattr(torch, dtype)
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(name, dtype=wanted)
    except (OSError, ValueError) as error:
        raise WorldError(f"{name}: cannot be loaded: {_first_line(error)}") from error
    packed = getattr(model, "quantization_method", None) is not None  # it is where it belongs already
    return model.to("cuda") if torch.cuda.is_available() and not packed else model


def with_adapter(model: Any, adapter: str, name: str) -> Any:
    """The model called `name` with an adapter on it.

    Raises:
        DataError: it does not fit.
    """
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, adapter)
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"adapter does not fit {name}: {_first_line(error)}", file=adapter) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _tokens(job: MergeJob) -> list[Any]:
    """The prompts as token ids, by the template that the student was trained with."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(job.adapter or job.model)
    asked = [[message.model_dump() for message in prompt] for prompt in job.prompts]
    found = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False)
    assert isinstance(found, list)
    return found


def _save_tokenizer(job: MergeJob) -> None:
    from transformers import AutoTokenizer, GenerationConfig

    AutoTokenizer.from_pretrained(job.adapter or job.model).save_pretrained(job.output)
    try:
        GenerationConfig.from_pretrained(job.model).save_pretrained(job.output)
    except OSError:  # most small models have none
        return


def _log_probs(model: Any, tokens: Sequence[list[int]]) -> list[Any]:
    """Of each prompt the log-probabilities of the next token at every position, (tokens, vocabulary), on the CPU."""
    import torch

    found = []
    model.eval()
    with torch.inference_mode():
        for ids in tokens:
            logits = model(torch.tensor([ids], device=model.device)).logits[0]
            found.append(logits.float().log_softmax(-1).cpu())
    return found


def _alike(before: Sequence[Any], after: Sequence[Any]) -> Alike:
    import torch

    pairs = list(zip(before, after, strict=True))
    apart = torch.cat([(one.exp() * (one - other)).sum(-1) for one, other in pairs])
    same = torch.cat([one.argmax(-1) == other.argmax(-1) for one, other in pairs])
    return Alike(
        positions=len(apart),
        mean=max(0.0, float(apart.mean())),
        largest=float(apart.max()),
        same_choice=float(same.float().mean()),
    )


def _quantise(job: MergeJob) -> None:
    """The merged model in fewer bits, in a form that vLLM serves.

    Raises:
        WorldError: no CUDA device here.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if not torch.cuda.is_available():
        raise WorldError(f"{job.method} wants a CUDA device, and there is none: leave quantised out of package.forms")
    assert job.quantised is not None
    if job.method == "nf4":
        from transformers import BitsAndBytesConfig

        how = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
        model = AutoModelForCausalLM.from_pretrained(job.output, quantization_config=how, device_map={"": 0})
    else:
        from llmcompressor import oneshot  # pyright: ignore[reportMissingImports]
        from llmcompressor.modifiers.quantization import QuantizationModifier  # pyright: ignore[reportMissingImports]

        model = AutoModelForCausalLM.from_pretrained(job.output, dtype="auto", device_map={"": 0})
        oneshot(model=model, recipe=QuantizationModifier(targets="Linear", scheme="FP8_DYNAMIC", ignore=["lm_head"]))
    model.save_pretrained(job.quantised)
    AutoTokenizer.from_pretrained(job.output).save_pretrained(job.quantised)


if __name__ == "__main__":
    sys.exit(main())
