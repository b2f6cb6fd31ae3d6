"""Recipe sections of the phases that train and prove."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nightschool.recipe.blocks import BlockName
from nightschool.recipe.evaluate import Evaluate
from nightschool.recipe.lora import Weights
from nightschool.recipe.machines import Devices
from nightschool.recipe.preference import Scheduled
from nightschool.recipe.roles import Roles
from nightschool.recipe.section import Clash, Name, Positive, PromptFile, Section, execution
from nightschool.recipe.shapes import BY_SHAPE, MAPPING, NOTHING, WORD
from nightschool.recipe.timing import ContestTimes

TooLong = Literal["refuse", "drop", "truncate"]
Lesson = Literal["answers", "questions", "critiques"]


class Training(Devices):
    """What both kinds of training decide. Units: rows per step = batch_size x accumulation."""

    epochs: float = Field(default=1.0, gt=0, le=100)
    learning_rate: float = Field(gt=0, lt=1)
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    scheduler: Literal["linear", "cosine", "constant"] = "cosine"
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    max_length: Positive = Field(default=1024, description="tokens of prompt and completion")
    too_long: TooLong = Field(
        default="refuse",
        description="what becomes of longer rows; truncate cuts the end of what is learned, never the prompt",
    )
    leaks: Literal["refuse", "allow"] = Field(
        default="refuse", description="prompts that give the answer away, or are others than those asked later"
    )
    evaluate: Evaluate | None = Field(default=None, description="looks at held-back rows on the way; best step is left")
    trainer: BlockName | None = execution(
        None, description="block/NAME: devices, launcher and the like are taken from there"
    )
    micro_batch: int | None = execution(
        None, ge=1, description="rows that a device holds at a time; batch_size if none; halved when memory runs out"
    )
    explode_ratio: float | None = execution(
        5.0, gt=1, description="stops when the median loss of 5 steps is so many times the lowest of the first 5"
    )
    optimizer: Literal["adamw", "adamw_8bit"] = Field(default="adamw", description="adamw_8bit: bitsandbytes, on CUDA")
    liger: bool = execution(False, description="liger's kernels, on CUDA")
    gradient_checkpointing: bool = execution(False)
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    threads: int = execution(2, ge=1, description="CPU threads")
    save_minutes: float = execution(10.0, gt=0, description="a killed stage loses no more than this")
    save_steps: int | None = execution(None, ge=1, description="a checkpoint every so many steps, by the clock if none")
    timeout_s: float = execution(36_000.0, gt=0)

    @model_validator(mode="after")
    def _can_be_asked_on_the_way(self) -> Training:
        if self.evaluate and self.evaluate.asks and self.launcher in ("fsdp", "deepspeed"):
            raise Clash("no process has all weights to answer with", "evaluate", "metric_for_best_model",
                        allowed="loss, or launcher: plain, ddp")  # fmt: skip
        return self


class Stage(Training):
    """A stage of the student: where it begins, and under which prompts it learns and is served.

    What is left out is as in the stage that it begins with, or as the student has it.
    """

    start: Name | None = Field(default=None, description="base, or an earlier stage that is gone on from")
    questions: Positive | None = Field(
        default=None, description="most questions of the night that it learns from, drawn by seed; all if none"
    )
    prompt: Annotated[
        Annotated[dict[Lesson, PromptFile], MAPPING] | Annotated[PromptFile, WORD] | Annotated[None, NOTHING],
        BY_SHAPE,
        Field(description="where it is another than the student's; one for each lesson where there are several"),
    ] = None
    draft_of: Name | None = Field(
        default=None,
        description="base, or an earlier stage: whose draft of an answer its prompt shows, for $draft; as in its start",
    )
    lora: Weights = None


class Sft(Stage):
    """Supervised fine-tuning, loss on the assistant's turn only."""

    name: Name = execution("sft")
    teaches: Annotated[
        Annotated[dict[Lesson, Annotated[float, Field(gt=0)]], MAPPING] | Annotated[Lesson, WORD],
        BY_SHAPE,
        Field(description="what its rows are; several with their weights in the loss"),
    ] = "answers"
    roles: Roles | None = Field(default=None, description="marks that say which lesson a prompt is of")
    form: Literal["reasoning", "answer"] = Field(
        default="reasoning",
        description="of its answers: the way and the answer, or the answer alone (plan 002, track A)",
    )
    padding_free: bool = execution(
        False, description="rows packed end to end without padding, none reading another; fast with flash-attn on CUDA"
    )


class Rounds(Section):
    """Drafts by the student as it is by now, pairs of them, dpo, and again, as long as the gate between rounds holds.

    Source: plan 002, Phase C, the self-guided loop.
    """

    most: int = Field(ge=1, le=12, description="rounds, if no gate ends them")
    at_least: float = Field(
        default=0.0, ge=-1, le=1, description="accuracy that a round must gain, on questions of the validation side"
    )
    by: Literal["value", "interval"] = Field(
        default="value", description="interval: the low end of the gain's 95% interval counts"
    )


class Dpo(Stage, Scheduled):
    """Direct preference optimisation (arXiv 2305.18290) of the stage that it begins with, on its own samples."""

    name: Name = execution("dpo")
    teaches: Literal["answers", "critiques"] = Field(
        default="answers",
        description="pairs of its own answers, or of the judgement that is due and the other",
    )
    reference: Name = Field(default="start", description="start, base, or a stage: what the loss holds it to")
    drafts: Name = Field(default="start", description="start, base, or a stage: whose drafts its pairs are made of")
    rounds: Annotated[
        Annotated[Rounds, MAPPING] | Annotated[int, WORD, Field(ge=1, le=12)] | Annotated[None, NOTHING],
        BY_SHAPE,
        Field(description="a self-guided loop: so many times, or with a gate of its own"),
    ] = None

    @property
    def loop(self) -> Rounds | None:
        """How often it is trained on drafts of its own, if it is more than once; nothing left out."""
        return Rounds(most=self.rounds) if isinstance(self.rounds, int) else self.rounds

    @model_validator(mode="after")
    def _schedule_fits(self) -> Dpo:
        if wrong := self.flaw(self.epochs):
            raise wrong
        return self

    @model_validator(mode="after")
    def _rounds_have_new_drafts(self) -> Dpo:
        if self.rounds is not None and self.teaches != "answers":
            raise Clash("critiques are the same in every round", "rounds", allowed="teaches: answers")
        if self.rounds is not None and self.prompt is not None:
            raise Clash("every round is asked as its start was", "prompt", allowed="leave it out")
        if self.rounds is not None and self.drafts != "start":
            raise Clash("every round drafts with what it begins with", "drafts", allowed="start")
        return self


class Validate(Section):
    """The student on questions that no model saw, served as it will be used."""

    per_topic: Positive | None = Field(
        default=None, description="held-out questions of the school per topic; else the held-out side of the file"
    )
    limit: Positive | None = Field(
        default=None, description="most questions of the file's held-out side, drawn by seed"
    )
    levels: tuple[Literal[1, 2, 3], ...] = Field(default=(1,), min_length=1)
    side: Literal["test", "validation"] = Field(
        default="test", description="test proves the student; validation has other questions, to choose settings by"
    )
    seeds: tuple[int, ...] = Field(default=(0, 1, 2, 3), min_length=1, description="sampling seeds, pooled")
    timed: Positive = Field(default=40, description="questions asked one after the other for the latency figures")
    contest: ContestTimes | None = Field(
        default=None, description="times the student as this contest does, on a server just started, in batches as well"
    )
    chunk_rows: Positive = 200
    chunks_in_flight: int = execution(16, ge=1, le=64, description="chunks that are asked for side by side")
