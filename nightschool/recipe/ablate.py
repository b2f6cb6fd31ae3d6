"""Recipe section of the ablations: whether a stage that is shown drafts uses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from nightschool.recipe.gate import Gate
from nightschool.recipe.section import Clash, Name, Positive, Section, execution
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


# Share of what a score moves by that its attributions may fail to add up to.
ENOUGH = 0.05


class Attribution(Section):
    """How much of an answer lies on the draft: integrated gradients on the embeddings, its own draft and another's.

    Source: plan 002, "Attention attribution: Integrated-gradients mass on draft tokens".
    """

    questions: Positive = Field(default=100, description="most held-out questions, drawn by seed")
    most_steps: int = Field(
        default=1024, ge=16, le=65536, description="steps double until attributions add up within 5%, up to so many"
    )
    threads: int = execution(2, ge=1, description="CPU threads")


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

    attribution: Attribution | None = Field(default=None, description="integrated gradients of the same stages")

    def of(self, stages: Sequence[Stage], measured: Sequence[str]) -> list[str]:
        """The stages that are asked."""
        shown = [stage.name for stage in stages if stage.draft_of and stage.name in measured]
        return [name for name in shown if not self.stages or name in self.stages]


def check(
    section: Ablate | None, gates: Sequence[Gate], stages: Sequence[Stage], measured: Sequence[str], *, closed: bool
) -> None:
    """That there are drafts to take away, and that every stage is asked without them whose gate wants to know.

    Args:
        closed: whether answers are a few, so that one can be weighed against the others.

    Raises:
        Clash: no stage is shown any, or one that is named is not; or answers cannot be weighed.
    """
    asked = section.of(stages, measured) if section and "no_draft" in section.variants else []
    for place, gate in enumerate(gates):
        if gate.metric == "draft_gain" and gate.stage not in asked:
            message = f"gate {gate.name}: {gate.stage} is not asked without its draft"
            raise Clash(message, "gates", place, "metric", allowed="an ablate section with no_draft for that stage")
    if section is None:
        return
    if section.attribution and not closed:
        message = "an answer is weighed against the others, and there are no others"
        raise Clash(message, "ablate", "attribution", allowed="leave it out, or answers that are letters or yes and no")
    shown = Ablate().of(stages, measured)
    if not shown:
        message = "no stage that is measured is shown a draft, so that there is none to take away"
        raise Clash(message, "ablate", allowed="leave it out, or draft_of in a stage")
    for place, name in enumerate(section.stages):
        if name not in shown:
            raise Clash(f"{name} is shown no draft", "ablate", "stages", place, allowed=", ".join(shown))
