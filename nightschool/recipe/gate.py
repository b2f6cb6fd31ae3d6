"""Recipe section of the gates: what of a finished night's figures must hold, and what follows where it does not."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nightschool.recipe.section import Clash, Name, Section

# committee_gain is of the accepted labels, vote_gain and vote_accuracy of the votes alone: where the solver rules,
# only these say what voting adds. agreement is the mean share of cast votes behind the leading answer, abstentions the
# share of questions on which a teacher has no vote, the worst teacher's. accepted_share and kept_share are of the
# questions that were asked: accepted by committee and people, and taught (copies of a row are one); taught_rows counts
# them. class_skew is of the rows that are taught against the shares that are wanted, filter_skew of the worst step
# before the balance; both are Cohen's w. least_class_share is of the rarest class among the taught. guessing_gain is
# over always giving the commonest answer; draft_gain is of a stage with its drafts over the same without.
# contamination is the share of held-out questions that were taught word for word. match_wins is a player's chance to
# win a match of the arena against an opponent drawn by chance, knockout_wins to win a knockout of all players;
# preference is the least that any judge prefers its questions by to those that they are compared with, as they are and
# at equal length. latency and ttft are of answers one by one; answers_ and questions_ are of the contest's own run,
# late is its share of requests above the limit of each.
Metric = Literal[
    "accuracy", "accuracy_gain", "guessing_gain", "balanced_accuracy", "worst_class_accuracy", "valid_share",
    "draft_gain", "latency_mean_s", "latency_p99_s", "committee_gain", "vote_gain", "vote_accuracy", "agreement",
    "abstentions", "accepted_share", "kept_share", "taught_rows", "least_class_share", "class_skew", "filter_skew",
    "contamination", "match_wins", "knockout_wins", "stump_share", "valid_questions", "ttft_p99_s", "answers_mean_s",
    "answers_p99_s", "answers_total_s", "answers_late", "questions_mean_s", "questions_p99_s", "questions_total_s",
    "questions_late", "preference",
]  # fmt: skip
OnFailure = Literal["fail", "stop", "skip", "warn"]
OF_VOTES = ("committee_gain", "vote_gain", "vote_accuracy", "agreement", "abstentions", "accepted_share")
OF_CLASSES = ("least_class_share", "class_skew", "filter_skew")
OF_ROWS = ("kept_share", "taught_rows", "contamination", *OF_CLASSES)
# What is counted whole, and would be the same if it were counted again.
_COUNTED = ("taught_rows", "contamination", *OF_CLASSES)
OF_COMMITTEE = (*OF_VOTES, *OF_ROWS)
OF_PLAYERS = ("match_wins", "knockout_wins", "stump_share", "valid_questions", "preference")
OF_CONTEST = ("answers_", "questions_")
OF_TIMES = ("latency_", "ttft_", *OF_CONTEST)
# Any figure above nought, and any gain that is no loss, says that the student can do something.
_SKILLS = ("accuracy", "balanced_accuracy", "match_wins", "knockout_wins")
_GAINS = ("accuracy_gain", "guessing_gain", "draft_gain")
# Measured when every stage has been trained.
_OF_THE_END = (*OF_TIMES, "draft_gain", *OF_PLAYERS)


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
        description="accuracy, gains and wins of a student that is not measurably above always giving the same answer "
        "fail whatever their limit, and so do times of one whose replies cannot be read",
    )
    on_failure: OnFailure = Field(
        default="fail",
        description="fail: the night goes on, and has failed; stop: it ends as soon as the gate is measured; skip: no "
        "stage that builds on this one is trained, and none at all behind a gate of votes or rows; warn: it goes on "
        "and is well",
    )

    @property
    def claims(self) -> bool:
        """Whether it says that the student can do something, which must be no merit of saying always the same."""
        if self.if_guessed == "pass":
            return False
        if self.at_least is None:
            return self.metric.startswith(OF_TIMES)
        return self.at_least > 0 if self.metric in _SKILLS else self.metric in _GAINS and self.at_least >= 0

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
            others = ", ".join((*OF_COMMITTEE, *OF_PLAYERS))
            raise Clash(f"a stage is named for every metric but {others}", "stage")
        if self.metric in _COUNTED and self.by == "interval":
            raise Clash(f"{self.metric} has no interval: by value", "by")
        if self.metric.endswith(("p99_s", "total_s")) and self.by == "interval":
            raise Clash("a 99th percentile has no interval here, nor has a total: by value", "by")
        if self.over is not None and self.stage in ("base", self.over):
            raise Clash(f"stage {self.stage} is not after {self.over}", "over")
        if self.on_failure == "skip" and self.metric.startswith(_OF_THE_END):
            raise Clash(f"{self.metric} is measured when no stage is left to skip", "on_failure",
                        allowed="fail, stop, warn")  # fmt: skip
        return self
