"""Whether each stage can be trained as it asks to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from blocks import machine
from blocks.places import is_shared
from blocks.preflight.check import Check, fail, ok
from nightschool.errors import RecipeError
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import Stage
from nightschool.training.needs import NO_DEEPSPEED, Lack, lacking

_SHARED = "store: a folder at the same path on all machines, from / on"


def stage_checks(recipe: Recipe) -> list[Check]:
    """One check for each thing that a stage lacks here, or one for all stages."""
    if not recipe.learner:
        return []
    bad = [fail(f"stage {stage.name}", f"{lack.field}: {lack.why}", lack.mend) for stage, lack in _lacks(recipe)]
    return bad or [ok("stages", ", ".join(f"{stage.name} from {stage.start}" for stage in recipe.stages))]


def refuse_stages(recipe: Recipe) -> None:
    """Ends a night that this machine cannot train before it has begun.

    Raises:
        RecipeError: a stage asks for what cannot be had here; says why.
    """
    for stage, lack in _lacks(recipe):
        message = f"stage {stage.name}: {lack.why}"
        raise RecipeError(message, field=f"{stage.kind}.{lack.field}", allowed=lack.mend)


def _lacks(recipe: Recipe) -> Iterator[tuple[Stage, Lack]]:
    cuda = bool(machine.gpus())
    for stage in recipe.stages if recipe.learner else ():
        if stage.section.machines > 1 and (is_shared(recipe.store) or not Path(recipe.store).is_absolute()):
            yield stage, Lack("machines", f"the others do not find what lies in the store {recipe.store}", _SHARED)
        yield from ((stage, lack) for lack in lacking(stage.section, stage.lora, cuda=cuda))
        if stage.section.launcher == "deepspeed" and not cuda:
            yield stage, Lack("launcher", NO_DEEPSPEED, "launcher: fsdp")
