"""Recipe section of the ablations: whether a stage that is shown drafts uses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from nightschool.recipe.section import Clash, Name, Section
from nightschool.recipe.stages import Stage

Variant = Literal["no_draft", "shuffled", "no_answer", "majority"]
VARIANTS: tuple[Variant, ...] = ("no_draft", "shuffled", "no_answer", "majority")
# What is before the student's eyes, for people.
SHOWN: dict[Variant, str] = {
    "no_draft": "no draft",
    "shuffled": "another question's draft",
    "no_answer": "its draft without the answer",
    "majority": "one draft for all",
}


class Ablate(Section):
    """The held-out questions asked once more with another draft, or none; nothing is trained.

    Source: plan 002, "Validation Experiments".
    """

    stages: tuple[Name, ...] = Field(default=(), description="all that are measured and shown drafts if none is named")
    variants: tuple[Variant, ...] = Field(
        default=VARIANTS,
        min_length=1,
        description="no_draft: the question alone; shuffled: another question's; no_answer: without the sentences that "
        "say one; majority: one for all, which says the commonest answer",
    )

    def of(self, stages: Sequence[Stage], measured: Sequence[str]) -> list[str]:
        """The stages that are asked."""
        shown = [stage.name for stage in stages if stage.draft_of and stage.name in measured]
        return [name for name in shown if not self.stages or name in self.stages]


def check(section: Ablate | None, stages: Sequence[Stage], measured: Sequence[str]) -> None:
    """That there are drafts to take away.

    Raises:
        Clash: no stage is shown any, or one that is named is not.
    """
    if section is None:
        return
    shown = Ablate().of(stages, measured)
    if not shown:
        message = "no stage that is measured is shown a draft, so that there is none to take away"
        raise Clash(message, "ablate", allowed="leave it out, or draft_of in a stage")
    for place, name in enumerate(section.stages):
        if name not in shown:
            raise Clash(f"{name} is shown no draft", "ablate", "stages", place, allowed=", ".join(shown))
