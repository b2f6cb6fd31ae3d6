"""Memory that a night needs at its widest, against what the machine has; estimates, said to be such."""

from __future__ import annotations

from collections.abc import Sequence

from blocks.arrange import Wave, arranged, need_bytes, visible
from blocks.devices import Gpu
from blocks.engines import resolve
from blocks.machine import Memory, gpus, memory
from blocks.preflight.check import Check, fail, ok, warn
from blocks.preflight.weights import find_weights
from blocks.servers import ServerSpec, spec_of
from nightschool.errors import RecipeError
from nightschool.recipe.models import Model
from nightschool.recipe.recipe import Recipe
from nightschool.report.text import size

_MB = 1_000_000
_TRAINER = 1_100 * _MB  # measured: DPO of a million parameters 954 MB, nearly all of it imports
_OURSELVES = 500 * _MB  # the night and Prefect's server
_SPARE = 1.2  # weights on a device, and what is made beside them
_UNKNOWN = "set max_model_len low at first, and watch the log of the server"


def memory_check(recipe: Recipe) -> Check:
    """Main memory: teachers that are up together, or the training, whichever needs more."""
    try:
        return judge_memory(widest_bytes(recipe, gpus(), memory()), memory())
    except RecipeError as error:  # devices that are not there; their own check says more
        return warn("memory", f"cannot be told: {error}", "gpus, replicas or tensor_parallel in serve")


def judge_memory(need: int | None, found: Memory) -> Check:
    """What is needed against what is there."""
    there = f"{size(found.available)} free of {size(found.total)}"
    if need is None:
        return warn("memory", f"unknown model sizes; {there}", _UNKNOWN)
    told = f"about {size(need)} needed, {there}"
    if need > found.total:
        return fail("memory", told, "fewer replicas, smaller models, or serve them elsewhere (engine: endpoint)")
    if need > found.available:
        return warn("memory", told, "end what else runs here")
    return ok("memory", told)


def widest_bytes(recipe: Recipe, found: Sequence[Gpu], room: Memory) -> int | None:
    """Bytes of main memory at the widest point; None if a model's size is unknown.

    Raises:
        RecipeError: the devices do not suffice.
    """
    needs = [need_bytes(wave) for _, models in _desks(recipe) for wave in waves_of(recipe, models, found, room)]
    if recipe.student:
        trained = find_weights(recipe.student.model).size
        needs.append(None if trained is None else _TRAINER + 3 * trained)
    return None if None in needs else _OURSELVES + max(need or 0 for need in needs)


def waves_of(recipe: Recipe, models: Sequence[Model], found: Sequence[Gpu], room: Memory) -> list[Wave]:
    """The models as they will be up together.

    Raises:
        RecipeError: the devices do not suffice.
    """
    specs = [_spec(model, recipe) for model in models]
    return arranged(specs, recipe.serve.placement, devices=visible(found), memory_bytes=room.total)


def _desks(recipe: Recipe) -> list[tuple[str, tuple[Model, ...]]]:
    """Who is asked in the same phases."""
    student: list[tuple[str, tuple[Model, ...]]] = [("student", (recipe.student,))] if recipe.student else []
    playing = [("arena and quality", recipe.models)] if recipe.arena or recipe.quality else []
    return [("teachers", recipe.teachers), *student, *playing]


def specs_of(recipe: Recipe) -> list[ServerSpec]:
    """How each model of the night would be served."""
    return [_spec(model, recipe) for model in recipe.models]


def _spec(model: Model, recipe: Recipe) -> ServerSpec:
    return spec_of(model, recipe.serve, engine=resolve(model, recipe.serve), path=model.model)


def device_checks(recipe: Recipe, found: Sequence[Gpu], room: Memory) -> list[Check]:
    """Devices: those that the recipe names are there, and vLLM's models fit on them; who is up with whom."""
    checks = [_listed(found)]
    for who, models in _desks(recipe):
        try:
            waves = waves_of(recipe, models, found, room)
        except RecipeError as error:
            mend = "fewer replicas, a lower tensor_parallel or data_parallel, other gpus, or placement: sequential"
            checks.append(fail(f"gpus for the {who}", str(error), mend))
            continue
        if len(waves) > 1:
            order = ", then ".join(" with ".join(spec.name for spec in wave) for wave in waves)
            checks.append(ok("placement", f"{who} one after the other: {order}"))
        checks += [_fits(spec, found) for wave in waves for spec in wave if any(spec.devices)]
    return checks


def _listed(found: Sequence[Gpu]) -> Check:
    if not found:
        return ok("gpus", "none found; the night runs on the CPU")
    listed = ", ".join(f"{gpu.index}: {gpu.name} {size(gpu.total - gpu.used)} free" for gpu in found)
    return ok("gpus", listed)


def _fits(spec: ServerSpec, found: Sequence[Gpu]) -> Check:
    title, total = f"gpus for {spec.name}", {gpu.index: gpu.total for gpu in found}
    room = min(sum(total[index] for index in group) for group in spec.devices) / spec.data_parallel
    room = int(room * (spec.gpu_memory_utilization or 1))
    groups = ", ".join("+".join(map(str, group)) for group in spec.devices)
    weights = find_weights(spec.model).size
    if weights is None:
        return warn(title, f"{groups}; unknown size; {size(room)} for each copy", _UNKNOWN)
    told = f"{groups}; weights {size(weights)}, {size(room)} for each copy"
    if weights * _SPARE > room:
        return fail(title, told, "a higher tensor_parallel, a smaller or quantised model")
    return ok(title, told)
