"""Memory that a night needs at its widest, against what the machine has; estimates, said to be such."""

from __future__ import annotations

from collections.abc import Mapping

from blocks.engines import resolve
from blocks.machine import Gpu, Memory, memory
from blocks.preflight.check import Check, fail, ok, warn
from blocks.preflight.weights import find_weights
from nightschool.recipe.models import Model
from nightschool.recipe.recipe import Recipe
from nightschool.report.text import size

_MB = 1_000_000
# Bytes of a server beside its weights: imports, buffers, KV cache. Measured: vLLM on a CPU 2.5 GB and 1 GiB of cache.
_SERVER = {"scripted": 80 * _MB, "transformers": 700 * _MB, "vllm": 3_600 * _MB, "endpoint": 0}
_TRAINER = 1_100 * _MB  # measured: DPO of a million parameters 954 MB, nearly all of it imports
_OURSELVES = 500 * _MB  # the night and Prefect's server
_SPARE = 1.2  # weights on a device, and what is made beside them
_UNKNOWN = "set max_model_len low at first, and watch the log of the server"


def memory_check(recipe: Recipe) -> Check:
    """Main memory: all teachers side by side, or the training, whichever needs more."""
    return judge_memory(need_bytes(recipe), memory())


def judge_memory(need: int | None, found: Memory) -> Check:
    """What is needed against what is there."""
    there = f"{size(found.available)} free of {size(found.total)}"
    if need is None:
        return warn("memory", f"unknown model sizes; {there}", _UNKNOWN)
    told = f"about {size(need)} needed, {there}"
    if need > found.total:
        return fail("memory", told, "fewer or smaller teachers, or serve them elsewhere (engine: endpoint)")
    if need > found.available:
        return warn("memory", told, "end what else runs here")
    return ok("memory", told)


def need_bytes(recipe: Recipe) -> int | None:
    """Bytes of main memory at the widest point; None if a model's size is unknown."""
    teachers = [_on_host(teacher, recipe) for teacher in recipe.teachers]
    student = _on_host(recipe.student, recipe) if recipe.student else 0
    trained = find_weights(recipe.student.model).size if recipe.student else 0
    if None in (*teachers, student, trained):
        return None
    serving = max(sum(each or 0 for each in teachers), student or 0)
    training = _TRAINER + 3 * (trained or 0) if recipe.student else 0
    return _OURSELVES + max(serving, training)


def _on_host(model: Model, recipe: Recipe) -> int | None:
    engine = resolve(model, recipe.serve)
    weights = find_weights(model.model).size if engine in ("transformers", "vllm") else 0
    return None if weights is None else _SERVER[engine] + 2 * weights


def device_checks(recipe: Recipe, engines: Mapping[str, str], gpus: list[Gpu]) -> list[Check]:
    """Devices: those that the recipe names are there, and vLLM's models fit on them."""
    if not gpus:
        named = [model.name for model in recipe.models if _gpus(model, recipe)]
        if named:
            mend = "is the driver loaded (nvidia-smi, amd-smi)? else leave gpus out"
            return [fail("gpus", f"{', '.join(named)}: devices are named, none is found", mend)]
        return [ok("gpus", "none found; the night runs on the CPU")]
    listed = ", ".join(f"{gpu.index}: {gpu.name} {size(gpu.total - gpu.used)} free" for gpu in gpus)
    wanting = [model for model in recipe.models if engines[model.name] == "vllm"]
    return [ok("gpus", listed), *(_fits(model, recipe, gpus) for model in wanting)]


def _fits(model: Model, recipe: Recipe, gpus: list[Gpu]) -> Check:
    title, wanted = f"gpus for {model.name}", model.tensor_parallel or recipe.serve.tensor_parallel
    known = {gpu.index: gpu for gpu in gpus}
    named = _gpus(model, recipe) or tuple(known)
    if absent := [index for index in named if index not in known]:
        return fail(title, f"no device {', '.join(map(str, absent))}", f"gpus: of {', '.join(map(str, known))}")
    if wanted > len(named):
        return fail(title, f"tensor_parallel {wanted}, but {len(named)} devices", "lower tensor_parallel")
    weights = find_weights(model.model).size
    room = sum(sorted((known[index].total for index in named), reverse=True)[:wanted])
    if weights is None:
        return warn(title, f"unknown size; {size(room)} on {wanted} devices", _UNKNOWN)
    told = f"weights {size(weights)}, {wanted} of the devices have {size(room)}"
    if weights * _SPARE > room:
        return fail(title, told, "a higher tensor_parallel, a smaller or quantised model")
    return ok(title, told)


def _gpus(model: Model, recipe: Recipe) -> tuple[int, ...]:
    return model.gpus or recipe.serve.gpus
