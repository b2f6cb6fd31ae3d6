"""What a stage leaves behind about itself: `training.json`, readable without torch."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from nightschool.training.job import Stage

FILE = "training.json"


class Step(BaseModel):
    """One optimizer step. Log-probabilities and rewards are natural logs summed over a completion, as TRL has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float
    mean_token_accuracy: float | None = None
    entropy: float | None = None
    reward_accuracy: float | None = None
    reward_margin: float | None = None
    logps_chosen: float | None = None
    logps_rejected: float | None = None


class Evaluation(BaseModel):
    """A look at held-back rows after a step. `loss`: sft as it is trained; dpo's own (arXiv 2305.18290) under the
    stage's beta, whatever loss is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    epoch: float
    loss: float | None
    mean_token_accuracy: float | None = None
    reward_accuracy: float | None = None
    reward_margin: float | None = None
    accuracy: float | None = Field(default=None, description="share of held-back questions that were answered rightly")


class Prompts(BaseModel):
    """Rows as they were read, and what was found in their prompts and lengths.

    `compared`: rows whose prompt was held against what is asked later, of which `others` are another text and `leaks`
    give their answer away; `answers`: how many different ones they have. `too_long`: rows over max_length, of which so
    many were `dropped` and `truncated`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    compared: int = 0
    answers: int = 0
    others: int = 0
    leaks: int = 0
    too_long: int = 0
    dropped: int = 0
    truncated: int = 0


class Record(BaseModel):
    """The stage as it ran. Times in seconds; `tokens` counts every token that went through the model in training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    name: str
    rows: int = Field(description="rows that were trained on")
    prompts: Prompts
    steps: int
    tokens: int
    trained_parameters: int
    device: str
    dtype: str
    seconds_import: float
    seconds_load: float = Field(description="reading tokenizer and model, rendering the rows")
    seconds: float = Field(description="the training loop alone")
    seconds_cpu: float = Field(description="CPU time of that loop: what it costs, whatever else the machine does")
    peak_rss_bytes: int
    peak_device_bytes: int
    losses: list[Step]
    held: int = Field(default=0, description="rows that were held back, to look at on the way")
    evaluations: list[Evaluation] = []
    chosen: int | None = Field(default=None, description="the step whose weights are left; the last one if none")
    stopped_early: bool = False
    resumed_at: int = Field(default=0, description="the step after which this process went on")
    references_kept: bool = Field(default=False, description="the reference was computed by an earlier run")
    dropped: dict[int, list[str]] = Field(default={}, description="pairs at weight zero, by epoch from 0")

    @property
    def initial(self) -> Step:
        """The first step: what the stage started from."""
        return self.losses[0]

    @property
    def final(self) -> Step:
        """The last step."""
        return self.losses[-1]


def read_record(directory: Path) -> Record:
    """The record of a finished stage, from its output directory."""
    return Record.model_validate_json((directory / FILE).read_bytes())
