"""Recipe section of a stage's own validation: on which rows, how often, by what, and what follows from it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nightschool.recipe.section import Clash, Positive, Section
from nightschool.values.kinds import Kind

StageMetric = Literal["loss", "mean_token_accuracy", "reward_accuracy", "reward_margin", "accuracy"]
OF_KIND: dict[str, tuple[StageMetric, ...]] = {
    "sft": ("loss", "mean_token_accuracy", "accuracy"),
    "dpo": ("loss", "reward_accuracy", "reward_margin", "accuracy"),
}
# Answers that compare as they stand; a formula takes mathematics, which no training process does.
ANSWERED: tuple[Kind, ...] = ("letter", "yes_no", "integer", "number")


class Evaluate(Section):
    """How a stage is looked at on held-back rows while it trains, and which of its steps is left in the end.

    Fields are named as in transformers. Rows are those of the validation side of `splits`; a recipe that splits nothing
    off holds a `share` of the questions back from the stage. The test side is never looked at.

    Source: plan 003, "validation every 500 steps and best checkpoint".
    """

    eval_steps: float = Field(
        default=0.1, gt=0, description="below 1 a share of all steps, else every so many; the last step comes with it"
    )
    metric_for_best_model: StageMetric = Field(
        default="loss",
        description="sft: loss, mean_token_accuracy; dpo: loss, reward_accuracy, reward_margin; both: accuracy, of "
        "held-back questions that are answered in full",
    )
    load_best_model_at_end: bool = Field(default=True, description="the best step is left, not the last one")
    early_stopping_patience: Positive | None = Field(
        default=None, description="looks in a row without a better one, after which the stage ends"
    )
    early_stopping_threshold: float = Field(default=0.0, ge=0, description="what is no more than this is no better")
    rows: Positive | None = Field(default=None, description="most rows to look at, drawn by seed")
    share: float = Field(
        default=0.1, gt=0, lt=1, description="of the questions, held back where splits has no validation side"
    )

    @model_validator(mode="after")
    def _whole_steps(self) -> Evaluate:
        if self.eval_steps >= 1 and not self.eval_steps.is_integer():
            raise Clash("steps are whole", "eval_steps", allowed="a share below 1, or a whole number")
        return self

    @property
    def asks(self) -> bool:
        """Whether questions are answered at every look."""
        return self.metric_for_best_model == "accuracy"

    @property
    def upwards(self) -> bool:
        """Whether more is better."""
        return self.metric_for_best_model != "loss"

    def fits(self, kind: str) -> None:
        """That a stage of this kind, "sft" or "dpo", has the metric.

        Raises:
            Clash: it has not.
        """
        if self.metric_for_best_model not in OF_KIND[kind]:
            message = f"{kind} has no {self.metric_for_best_model}"
            raise Clash(message, "evaluate", "metric_for_best_model", allowed=", ".join(OF_KIND[kind]))
