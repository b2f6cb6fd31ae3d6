"""Recipe section of the package: what of the student is packed to be given away, and in which forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from nightschool.recipe.section import Clash, Name, Positive, Section, execution
from nightschool.recipe.stages import Stage

LAST = "last"
Form = Literal["adapter", "merged", "quantised"]


class Package(Section):
    """Adapter, merged and quantised models, each checked, with a card that is written from the night."""

    stages: tuple[Name, ...] = Field(default=(LAST,), min_length=1, description="by name; last = the last one")
    forms: tuple[Form, ...] = Field(
        default=(), description="adapter, merged, quantised; by default the adapter, or the model of a stage without"
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="of merged weights; auto = the base's own"
    )
    quantise: Literal["nf4", "fp8"] = Field(
        default="nf4", description="nf4 by bitsandbytes, fp8 by llm-compressor; both on a CUDA device"
    )
    checked: Positive = Field(default=4, description="questions on which merged and adapter must say the same")
    zip: bool = execution(True, description="one file beside the folder; big models take their room twice")
    threads: int = execution(2, ge=1, description="CPU threads")

    def names(self, stages: Sequence[Stage]) -> tuple[str, ...]:
        """The stages that are packed, each once, in the order of the recipe."""
        wanted = [stages[-1].name if name == LAST else name for name in self.stages]
        return tuple(stage.name for stage in stages if stage.name in wanted)

    def forms_of(self, stage: Stage) -> tuple[Form, ...]:
        """In which forms a stage is packed."""
        return self.forms or (("merged",) if stage.whole else ("adapter",))


def check(package: Package | None, stages: Sequence[Stage]) -> None:
    """That the stages are there and have such forms.

    Raises:
        Clash: no student, no such stage, or a form that a stage has not.
    """
    if package is None:
        return
    if not stages:
        raise Clash("there is nothing to pack: nobody learns in this recipe", "package")
    known = [stage.name for stage in stages if not stage.passing]
    for place, name in enumerate(package.stages):
        if name != LAST and name not in known:
            message = f"{name} is no stage of this recipe"
            raise Clash(message, "package", "stages", place, allowed=", ".join((LAST, *known)))
    for stage in stages:
        if stage.name in package.names(stages) and stage.whole and "adapter" in package.forms:
            message = f"{stage.name} has no adapter: all its weights were trained"
            raise Clash(message, "package", "forms", allowed="merged, quantised")
