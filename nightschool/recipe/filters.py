"""Recipe section of the filters: what accepted rows must be like to be taught, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator, model_validator

from nightschool.errors import RecipeError
from nightschool.filters import Unit
from nightschool.language import codes
from nightschool.recipe.data_file import Source
from nightschool.recipe.section import Clash, Name, Positive, Section, Share

# What chat templates leave behind where a reply ran on.
_MARKERS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<think>", "</think>")


class Filter(Section):
    """What every filter decides."""

    weight: float | None = Field(
        default=None, gt=0, lt=1, description="rows that it objects to stay, and weigh so much in the loss"
    )


class Consistency(Filter):
    """Questions that teach no difference go: every teacher always right, or always wrong (plan 004)."""

    drop: tuple[Literal["all_right", "all_wrong", "opposed", "unknown"], ...] = Field(
        default=("all_right", "all_wrong"), min_length=1,
        description="opposed = one teacher always right, another always wrong; unknown = the truth is not known",
    )  # fmt: skip


class Difficulty(Filter):
    """Questions that too many or too few samples get right go."""

    least: Share = Field(default=0.0, description="least share of right samples; of right votes in a night by letter")
    most: Share = Field(default=1.0, description="most")

    @model_validator(mode="after")
    def _is_a_band(self) -> Difficulty:
        if self.least > self.most:
            raise Clash("least is above most: no row passes", "least", allowed=f"at most {self.most:g}")
        return self


class Format(Filter):
    """Rows go whose explanation lacks a needed text or has what a template left behind, or whose choices repeat."""

    require: tuple[str, ...] = Field(default=(), description="texts that every explanation must have")
    forbid: tuple[str, ...] = Field(default=_MARKERS, description="texts that no question or explanation may have")

    @model_validator(mode="after")
    def _names_texts(self) -> Format:
        for name in ("require", "forbid"):
            if not all(getattr(self, name)):
                raise Clash("an empty text is in every text", name)
        return self


class Span(Section):
    """How long a text may be."""

    least: int | None = Field(default=None, ge=0)
    most: Positive | None = None


class Length(Filter):
    """Questions or explanations that are too short or too long go."""

    question: Span = Span()
    explanation: Span = Span()
    unit: Unit = Field(default="characters", description="tokens are a guess: a quarter of the bytes")


class Language(Filter):
    """Questions and explanations in another language go; one that can't be told is no reason."""

    allowed: tuple[str, ...] = Field(min_length=1, description="ISO 639-1 codes, such as en")

    @field_validator("allowed")
    @classmethod
    def _are_known(cls, allowed: tuple[str, ...]) -> tuple[str, ...]:
        try:
            known = codes()
        except RecipeError as err:
            raise Clash(f"{err}") from None
        if unknown := [code for code in allowed if code not in known]:
            raise Clash(f"no such language: {', '.join(unknown)}", allowed=", ".join(sorted(known)))
        return allowed


class NearDuplicates(Filter):
    """Of questions that are nearly the same (MinHash of runs of three words) the first one stays.

    Two questions with other numbers in them are never the same.
    """

    threshold: float = Field(default=0.8, ge=0.6, le=1, description="least share of equal runs of words")
    against: tuple[Name, ...] = Field(
        default=(), description="earlier nights of this store whose taught questions are not taught again"
    )


class Contamination(Filter):
    """Questions that share a run of words with an evaluation set go (13 words: arXiv 2005.14165, appendix C)."""

    sets: dict[Name, Source] = Field(min_length=1, description="evaluation sets by name: files, and how they are read")
    words: int = Field(default=13, ge=6, le=50, description="length of the run; a shorter question is one run")

    @model_validator(mode="after")
    def _sets_are_files(self) -> Contamination:
        for name, source in self.sets.items():
            if source.file is None:
                raise Clash("an evaluation set is a file", "sets", name, "file")
        return self


class Filters(Section):
    """What an accepted row must be like to be taught; asked in this order, the first that objects is the reason."""

    consistency: Consistency | None = None
    difficulty: Difficulty | None = None
    format: Format | None = None
    length: Length | None = None
    language: Language | None = None
    near_duplicates: NearDuplicates | None = None
    contamination: Contamination | None = None

    @property
    def named(self) -> dict[str, Filter]:
        """Those that the recipe asks for, in order."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: section for name, section in found.items() if section is not None}


def weighing(filters: Filters | None) -> Sequence[str]:
    """Filters that keep rows with less weight."""
    return [name for name, section in (filters.named if filters else {}).items() if section.weight is not None]
