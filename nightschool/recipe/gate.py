"""Recipe section of the gates: what of a finished night's figures must hold, and what follows where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from nightschool.recipe.section import Clash, Name, Section

# committee_gain is of the accepted labels, vote_gain of the votes alone: where the solver rules, only the second says
# what voting adds. class_skew is of the rows that are taught against the shares that are wanted, filter_skew of the
# worst step before the balance; both are Cohen's w. guessing_gain is over always giving the commonest answer;
# draft_gain is of a stage with its drafts over the same without. contamination is the share of held-out questions that
# were taught word for word. match_wins is a player's chance to win a match of the arena against an opponent drawn by
# chance, knockout_wins to win a knockout of all players; preference is the least that any judge prefers its questions
# by to those that they are compared with. latency and ttft are of answers one by one; answers_ and questions_ are of
# the contest's own run, late is its share of requests above the limit of each.
Metric = Literal[
    "accuracy", "accuracy_gain", "guessing_gain", "balanced_accuracy", "worst_class_accuracy", "valid_share",
    "draft_gain", "latency_mean_s", "latency_p99_s", "committee_gain", "vote_gain", "class_skew", "filter_skew",
    "contamination", "match_wins", "knockout_wins", "stump_share", "valid_questions", "ttft_p99_s", "answers_mean_s",
    "answers_p99_s", "answers_total_s", "answers_late", "questions_mean_s", "questions_p99_s", "questions_total_s",
    "questions_late", "preference",
]  # fmt: skip
OnFailure = Literal["fail", "stop", "skip", "warn"]
OF_ROWS = ("class_skew", "filter_skew", "contamination")
OF_COMMITTEE = ("committee_gain", "vote_gain", *OF_ROWS)
OF_PLAYERS = ("match_wins", "knockout_wins", "stump_share", "valid_questions", "preference")
OF_CONTEST = ("answers_", "questions_")
OF_TIMES = ("latency_", "ttft_", *OF_CONTEST)


class Gate(Section):
    """A condition on the finished night. Gains are against `over`; shares and gains in [0, 1], times in seconds."""

    name: Name
    metric: Metric
    stage: Name | None = Field(default=None, description="base, or a stage by its name")
    player: Name | None = Field(default=None, description="of the arena; for preference, whose questions are judged")
    over: Name | None = Field(default=None, description="base, or an earlier stage")
    at_least: float | None = None
    at_most: float | None = None
    by: Literal["value", "interval"] = Field(
        default="value", description="interval: the near end of the 95% interval counts"
    )
    if_guessed: Literal["fail", "pass"] = Field(
        default="fail",
        description="accuracy that is not measurably above always giving the same answer fails whatever its limit",
    )
    on_failure: OnFailure = Field(
        default="fail",
        description="fail: the night goes on, and has failed; stop: it ends as soon as the gate is measured; skip: no "
        "stage that builds on this one is trained; warn: it goes on and is well",
    )

    @property
    def claims(self) -> bool:
        """Whether it says that the student can do something, which always giving the same answer must not pass."""
        if self.at_least is None or self.if_guessed == "pass":
            return False
        return self.at_least > 0 if self.metric == "accuracy" else self.metric == "accuracy_gain" and self.at_least >= 0

    @property
    def steers(self) -> bool:
        """Whether the night waits for it."""
        return self.on_failure in ("stop", "skip")

    @model_validator(mode="after")
    def _makes_sense(self) -> Gate:
        if (self.at_least is None) == (self.at_most is None):
            raise Clash("a gate has at_least or at_most, one of the two")
        if (self.metric == "accuracy_gain") != (self.over is not None):
            raise Clash("over belongs to metric accuracy_gain, and only there", "over")
        if (self.metric in OF_PLAYERS) != (self.player is not None):
            raise Clash(f"a player is named for {', '.join(OF_PLAYERS)}, and only there", "player")
        if (self.metric in (*OF_COMMITTEE, *OF_PLAYERS)) == (self.stage is not None):
            others = " and ".join((*OF_COMMITTEE, *OF_PLAYERS))
            raise Clash(f"a stage is named for every metric but {others}", "stage")
        if self.metric in OF_ROWS and self.by == "interval":
            raise Clash(f"{self.metric} has no interval: by value", "by")
        if self.metric.endswith(("p99_s", "total_s")) and self.by == "interval":
            raise Clash("a 99th percentile has no interval here, nor has a total: by value", "by")
        if self.over is not None and self.stage in ("base", self.over):
            raise Clash(f"stage {self.stage} is not after {self.over}", "over")
        if self.steers and (self.stage is None or self.metric.startswith((*OF_TIMES, "draft"))):
            raise Clash(f"{self.metric} is measured when nothing is left to {self.on_failure}", "on_failure",
                        allowed="fail, warn")  # fmt: skip
        return self


def gated(gate: Gate, index: int, measured: Sequence[str]) -> None:
    """That a gate speaks of stages that are measured.

    Raises:
        Clash: one is not, or comes before the one that it is held against.
    """
    for field, name in (("stage", gate.stage), ("over", gate.over)):
        if name is not None and name not in measured:
            message = f"gate {gate.name} is about {name}, which this recipe leaves out"
            raise Clash(message, "gates", index, field, allowed=", ".join(measured))
    if gate.stage and gate.over and measured.index(gate.over) >= measured.index(gate.stage):
        raise Clash(f"gate {gate.name}: {gate.stage} is not after {gate.over}", "gates", index, "over")
