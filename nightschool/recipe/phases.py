"""Recipe sections of the phases that make and choose data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from nightschool.prompts import Prompt
from nightschool.recipe.data_file import DataFile, Source
from nightschool.recipe.section import (
    Clash,
    Positive,
    PromptFile,
    Section,
    Share,
    Temperature,
    execution,
    fill,
    fill_answer,
)
from nightschool.values.kinds import Kind
from nightschool.wire import Sampling

_OF_A_FILE = ("kind", "rows", "split", "encoding", "fields", "integers", "limit")


class Asking(Section):
    """What every phase that asks a model decides."""

    temperature: Temperature = 0.7
    top_p: Share = 1.0
    max_tokens: Positive = 512
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), max_length=16, description="texts that end a reply: a base model has no end of its own"
    )
    chunk_rows: Positive = Field(default=200, description="rows per chunk, the unit of retry")
    chunk_minutes: float | None = execution(
        None,
        gt=0,
        le=600,
        description="rows per chunk by time: chunk_rows follows from what this store measured, once; before it "
        "has measured anything, chunk_rows as it stands",
    )
    # With 4 a slow row left servers idle: 5,000 rows with stragglers took 21 s, with 16 they took 11 s.
    chunks_in_flight: int = execution(16, ge=1, le=64, description="chunks that are asked for side by side")

    @property
    def sampling(self) -> Sampling:
        """How its replies are drawn, one for each row."""
        return Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens, stop=self.stop)


class Questions(Asking):
    """Every teacher writes questions on every topic."""

    prompt: PromptFile
    per_topic: Positive = Field(description="questions asked of each teacher on each topic")

    @field_validator("prompt")
    @classmethod
    def _can_be_filled(cls, prompt: Prompt) -> Prompt:
        return fill(prompt, {"topic", "hint"}, {"topic"})


class Pool(Source):
    """Which questions are asked: written ones, checked by the solver, distinct, topped up to the quota; or a file's."""

    per_topic: Positive | None = Field(default=None, description="questions wanted per topic, of those written")
    top_up: Literal["generator", "none"] = Field(default="none", description="where missing questions come from")

    @model_validator(mode="after")
    def _one_source(self) -> Pool:
        if (self.per_topic is None) == (self.file is None):
            raise Clash("questions are written (per_topic) or come from a file: give one of the two", "per_topic")
        if self.file is not None and self.top_up != "none":
            raise Clash("a file is not topped up", "top_up", allowed="none")
        for name in _OF_A_FILE if self.file is None else ():
            if getattr(self, name) != type(self).model_fields[name].default:
                raise Clash(f"{name} is for a file's rows", name)
        if self.file is None and not set(self.levels or ()) <= {1, 2, 3}:
            raise Clash("the generator has three levels", "levels", allowed="1, 2, 3")
        return self

    @property
    def asked(self) -> int | None:
        """How many rows of the file are asked at most; None for questions that are written."""
        return min(self.file.rows, self.limit or self.file.rows) if self.file else None

    @property
    def generated(self) -> tuple[int, ...]:
        """Levels of questions that are topped up."""
        return tuple(level for level in self.levels or (1,) if isinstance(level, int))


class Answers(Asking):
    """Every teacher answers every question."""

    reply: Literal["letter", "text"] = Field(
        default="letter", description="letter = reasoning and a choice, in JSON; text = a free solution, kept as it is"
    )
    value: Literal["none", "letter", "yes_no", "integer", "number", "latex", "text"] = Field(
        default="none", description="what is read out of a free solution, and compared with the file's answer; text = "
        "what its last box holds, else the whole of a short reply, whatever its case"
    )  # fmt: skip
    fallback: Literal["none", "last_number"] = Field(
        default="none", description="what stands in for an answer that is not marked as one"
    )
    prompt: PromptFile
    samples: int = Field(default=1, ge=1, le=64, description="replies per teacher and question")

    @model_validator(mode="after")
    def _values_are_read_from_text(self) -> Answers:
        if self.value != "none" and self.reply != "text":
            raise Clash("a reply by letter has no value to look for", "value", allowed="none, or reply: text")
        if self.fallback != "none" and self.value not in ("integer", "number", "latex"):
            raise Clash("only a number can stand in for a value", "fallback",
                        allowed="none, or value: integer, number, latex")  # fmt: skip
        return self

    @property
    def kind(self) -> Kind:
        """What an answer is; free text is compared as it stands where no value is read out of it."""
        return "letter" if self.reply == "letter" else "text" if self.value == "none" else self.value

    @property
    def sampling(self) -> Sampling:
        """How its replies are drawn, `samples` for each row."""
        return super().sampling.model_copy(update={"samples": self.samples})

    @field_validator("prompt")
    @classmethod
    def _can_be_filled(cls, prompt: Prompt, info: ValidationInfo) -> Prompt:
        if info.data.get("reply") == "text":
            return fill(prompt, {"question", "choices", "topic"}, {"question"})
        return fill_answer(prompt)


class Pairs(Asking):
    """Drafts of the student against right answers, or teachers' own solutions; same prompt, same format."""

    temperature: Temperature = 1.0
    samples: int = Field(default=8, ge=2, le=64, description="replies of the student per question")
    per_question: Positive = Field(default=1, description="most pairs from one question")
    chosen: Literal["student", "teacher"] = Field(default="student", description="whose right answer is preferred")
    rejected: Literal["student", "teacher"] = Field(
        default="student",
        description="whose wrong one is not; teacher: solutions that the critiques call wrong, and nobody is asked",
    )
    format: Literal["same", "any"] = Field(
        default="same", description="same: both sides mark their answers alike, or a model learns the mark (plan 002)"
    )

    @property
    def sampling(self) -> Sampling:
        """How its replies are drawn, `samples` for each row."""
        return super().sampling.model_copy(update={"samples": self.samples})

    @model_validator(mode="after")
    def _replies_differ(self) -> Pairs:
        if self.temperature == 0:
            raise Clash("at temperature 0 all replies are the same: no pair comes of it", "temperature")
        if self.rejected == "teacher" and self.chosen == "student":
            raise Clash("nobody prefers the student's answers to a teacher's wrong ones", "chosen", allowed="teacher")
        return self


def check_file(file: DataFile, questions: Questions | None, answers: Answers, *, learnt: bool) -> None:
    """Hold a file of questions against what is done with them.

    Args:
        learnt: whether a student learns from them.

    Raises:
        Clash: somebody writes questions too, they lack what is asked for, or the file may not be learnt from.
    """
    if questions is not None:
        raise Clash("the pool's questions come from a file: nobody writes any", "questions")
    if answers.reply == "letter" and file.choices < 2:
        raise Clash("the file's questions have no choices to answer with a letter: name them in pool.fields",
                    "answers", "reply", allowed="text")  # fmt: skip
    if file.canary and learnt:
        raise Clash("the file asks never to be learnt from (its canary): it may test a model, not teach one",
                    "pool", "file")  # fmt: skip
