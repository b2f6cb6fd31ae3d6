"""Recipe sections of preference losses: which one, and what changes from epoch to epoch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from nightschool.recipe.section import Clash, Positive, Section

Cal = Literal["none", "paper", "center"]
Robust = Literal["none", "paper", "drop", "both"]
# TRL's, and what they are called there.
LossName = Literal[
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired",
    "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm",
]  # fmt: skip
_SMOOTHED = ("robust", "exo_pair", "aot", "aot_unpaired")


class Preference(Section):
    """How a batch of preference pairs becomes a loss."""

    beta: float = Field(default=0.1, gt=0, description="weight of the reference (arXiv 2305.18290)")
    loss: tuple[LossName, ...] = Field(default=("sigmoid",), min_length=1, description="added up, by TRL's names")
    loss_weights: tuple[float, ...] | None = Field(default=None, description="of each loss; 1 by default")
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=0.5, description="share of pairs taken to be the wrong way round; exo_pair needs some"
    )
    cal: Cal = Field(
        default="none",
        description="paper = Cal-DPO (arXiv 2412.14516); center = the gap less its mean over pairs (plan 002)",
    )
    cal_weight: float = Field(default=1.0, gt=0, description="of Cal-DPO's squared term, for cal: paper")
    robust: Robust = Field(
        default="none",
        description="paper = Dr. DPO's weights (arXiv 2407.07880); drop = the pairs that the model disagrees with most "
        "(plan 002); both",
    )
    robust_beta: float = Field(default=1.0, gt=0, description="Dr. DPO's beta', for robust: paper")
    drop_share: float = Field(default=0.15, gt=0, lt=1, description="pairs left out, for robust: drop")
    drop_by: Literal["model", "committee"] = Field(
        default="model",
        description="who disagrees with a pair: the model as it is by then, or teachers who voted otherwise",
    )

    @property
    def plain(self) -> bool:
        """Whether TRL's own loss is all that is asked for."""
        return self.cal == "none" and self.robust == "none"

    @property
    def weighs(self) -> bool:
        """Whether a pair's weight counts: in our own losses; TRL's know none."""
        return self.loss == ("sigmoid",)

    @model_validator(mode="after")
    def _go_together(self) -> Preference:
        if self.loss_weights is not None and len(self.loss_weights) != len(self.loss):
            message = f"{len(self.loss_weights)} weights for {len(self.loss)} losses"
            raise Clash(message, "loss_weights", allowed=f"{len(self.loss)} numbers")
        if "exo_pair" in self.loss and not self.label_smoothing:
            message = "exo_pair has no value where no pair may be the wrong way round"
            raise Clash(message, "label_smoothing", allowed="above 0; its paper (arXiv 2402.00856) has 1e-3")
        if self.label_smoothing and not set(_SMOOTHED).intersection(self.loss):
            raise Clash("no loss here knows it", "label_smoothing", allowed=f"0, or a loss of {', '.join(_SMOOTHED)}")
        if not self.plain and self.loss != ("sigmoid",):
            raise Clash("cal and robust change the sigmoid loss, and no other", "loss", allowed="[sigmoid]")
        return self


class Epochs(Section):
    """Some epochs in a row, and what is another way in them; the rest is as in the section around."""

    epochs: Positive
    beta: float | None = Field(default=None, gt=0)
    cal: Cal | None = None
    robust: Robust | None = None


class Scheduled(Preference):
    """A preference loss with a schedule by epoch.

    Source: plan 002, Phase C, "Training Schedule".
    """

    schedule: tuple[Epochs, ...] = Field(default=(), description="epochs in order; together as many as `epochs`")

    def at(self, epoch: int) -> Preference:
        """What holds in an epoch, counted from 0; after the last one its settings go on."""
        mine: dict[str, Any] = {name: getattr(self, name) for name in Preference.model_fields}
        for part in self.schedule:
            if epoch < part.epochs or part is self.schedule[-1]:
                changed = {name: getattr(part, name) for name in ("beta", "cal", "robust")}
                return Preference(**mine | {name: value for name, value in changed.items() if value is not None})
            epoch -= part.epochs
        return Preference(**mine)

    @property
    def ever_plain(self) -> bool:
        """Whether TRL's own loss is asked for in every epoch, under one beta."""
        found = [self.at(epoch) for epoch in range(sum(part.epochs for part in self.schedule) or 1)]
        return all(one.plain and one == found[0] for one in found)

    @model_validator(mode="after")
    def _parts_make_sense(self) -> Scheduled:
        if self.schedule and self.loss != ("sigmoid",):
            raise Clash("a schedule is of the sigmoid loss", "loss", allowed="[sigmoid]")
        return self

    def flaw(self, epochs: float) -> Clash | None:
        """What is wrong with the schedule for so many epochs, if anything is."""
        planned = sum(part.epochs for part in self.schedule)
        if self.schedule and planned != epochs:
            return Clash(f"{planned} epochs are planned and {epochs:g} are trained", "schedule", allowed=f"{epochs:g}")
        return None
